import test from 'ava'
import { hash } from 'node:crypto'
import type { BootFacts } from '../../../src/core/eventlog/boot-facts.ts'
import { EVENT_TYPE } from '../../../src/core/eventlog/event-type.ts'
import { variableVendor } from '../../../src/core/uefi/guid.ts'
import { digestOf, type MadeEvent } from '../../../swtpm/emulated/event-log.ts'
import {
  action,
  authority,
  certificates,
  dbEntry,
  owner,
  quotedPcrs,
  secureBoot,
  separator,
  signatureData,
  signatureList,
  signatureTypes,
  unifiedBoot,
  variable,
  variableData,
  wide,
} from '../../../swtpm/emulated/boot-events.ts'
import { boot, factsOf, failed, sha256, without } from './boot-facts-fixtures.ts'

function replace(
  events: readonly MadeEvent[],
  index: number,
  change: Partial<MadeEvent>,
): MadeEvent[] {
  const event = events[index]
  return event === undefined ? [] : events.with(index, { ...event, ...change })
}

test('a boot with nothing wrong has all its facts, and no check that fails', t => {
  const facts = factsOf(boot)
  t.deepEqual(failed(facts), [])
  t.is(facts.bank, 'sha256')
  t.is(facts.secureBoot.isEnabled, true)
  t.is(facts.secureBoot.sbatLevel, 'sbat,1,2024010900')
  t.deepEqual(Object.keys(facts.secureBoot.databases), ['PK', 'KEK', 'db', 'dbx'])
  t.is(facts.firmware.version?.text, 'Firmware 1.2')
  t.is(facts.firmware.code[0]?.digest, sha256('firmware volume'))
  t.is(facts.firmware.drivers[0]?.digest, sha256('option rom'))
  t.true(facts.firmware.hasExitedBootServices)
  t.deepEqual(facts.firmware.partitions?.types, ['c12a7328-f81f-11d2-ba4b-00a0c93ec93b'])
  t.is(facts.unifiedKernel, undefined)
  t.deepEqual(facts.provenPcrs, [...quotedPcrs])
  t.deepEqual(facts.unexplainedPcrs, [])
})

test('programs are told by their digests, in their order, with where they are from as a hint', t => {
  const { images } = factsOf(boot)
  t.deepEqual(
    images.map(({ digest, fileHint, isBootOption, binding }) => [
      digest,
      fileHint,
      isBootOption,
      binding,
    ]),
    [
      [sha256('shim'), '\\EFI\\shimx64.efi', true, 'digest'],
      [sha256('grub'), '\\EFI\\grubx64.efi', true, 'digest'],
    ],
  )
})

test('databases are entries by their digests', t => {
  const { db, dbx } = factsOf(boot).secureBoot.databases
  const [, vendor = Buffer.alloc(0)] = certificates
  t.deepEqual(db?.entries, [{ kind: 'x509', owner, sha256: hash('sha256', vendor) }])
  t.deepEqual(
    dbx?.entries.map(({ kind, sha256: digest }) => [kind, digest]),
    [
      ['sha256', '01'.repeat(32)],
      ['sha256', '02'.repeat(32)],
    ],
  )
  t.is(db?.binding, 'data')
})

test('who signed shim is an entry of db, who signed GRUB a certificate of shim', t => {
  const { authorities } = factsOf(boot).secureBoot
  const [, vendor = Buffer.alloc(0), distribution = Buffer.alloc(0)] = certificates
  t.deepEqual(
    authorities.map(({ database, kind, sha256: digest, isBeforeSeparator }) => [
      database,
      kind,
      digest,
      isBeforeSeparator,
    ]),
    [
      ['db', 'x509', hash('sha256', vendor), false],
      ['shim Shim', 'x509', hash('sha256', distribution), false],
    ],
  )
})

test('an authority may be the entry of db without its owner, or a hash', t => {
  const [, vendor = Buffer.alloc(0)] = certificates
  const { imageSecurity } = variableVendor
  const bare = [...boot, authority(imageSecurity, 'db', vendor)]
  t.is(factsOf(bare).secureBoot.authorities.length, 3)
  const hashEntry = signatureData(owner, Buffer.alloc(32, 9))
  const lists = Buffer.concat([
    signatureList(signatureTypes.x509, [dbEntry]),
    signatureList(signatureTypes.sha256, [hashEntry]),
  ])
  const index = boot.findIndex(
    ({ data }) => Buffer.from(data).includes(Buffer.from(wide('db'))) && data.length > 200,
  )
  const events = [
    ...replace(boot, index, { data: variableData(imageSecurity, 'db', lists) }),
    authority(imageSecurity, 'db', hashEntry),
  ]
  const last = factsOf(events).secureBoot.authorities.at(-1)
  t.deepEqual([last?.kind, last?.sha256], ['sha256', '09'.repeat(32)])
})

test('an authority that is not in db, or of another owner, is not believed', t => {
  const { imageSecurity, global } = variableVendor
  const [platform = Buffer.alloc(0)] = certificates
  for (const event of [
    authority(imageSecurity, 'db', signatureData(owner, platform)),
    authority(imageSecurity, 'dbx', dbEntry),
    authority(global, 'db', dbEntry),
  ]) {
    const facts = factsOf([...boot, event])
    t.is(facts.secureBoot.authorities.length, 2)
    t.deepEqual(failed(facts), ['eventlog-authority'])
  }
})

test('Secure Boot is off, on, or not known; anything odd is not known', t => {
  const at = 2
  const stateOf = (events: readonly MadeEvent[]): BootFacts['secureBoot']['isEnabled'] =>
    factsOf(events).secureBoot.isEnabled
  const { global, imageSecurity } = variableVendor
  const withState = (bytes: Uint8Array): MadeEvent[] =>
    replace(boot, at, { data: variableData(global, 'SecureBoot', bytes) })
  t.is(stateOf(withState(Uint8Array.of(0))), false)
  t.is(stateOf(withState(Uint8Array.of(1))), true)
  const [first = separator(7)] = secureBoot()
  const odd = [
    withState(new Uint8Array(0)),
    withState(Uint8Array.of(1, 0)),
    withState(Uint8Array.of(2)),
    boot.toSpliced(at, 1),
    boot.toSpliced(at, 0, first),
    replace(boot, at, { data: variableData(imageSecurity, 'SecureBoot', Uint8Array.of(1)) }),
    replace(boot, at, { type: EVENT_TYPE.EFI_VARIABLE_BOOT2 }),
    [...boot.toSpliced(at, 1), first],
    without(boot, event => event.pcr === 7 && event.type === EVENT_TYPE.SEPARATOR),
  ]
  for (const events of odd) {
    const facts = factsOf(events)
    t.is(facts.secureBoot.isEnabled, undefined)
    t.true(failed(facts).includes('eventlog-secure-boot'))
  }
})

test('data that its digest does not cover is not believed: off, passed off as on', t => {
  const { global } = variableVendor
  const off = variableData(global, 'SecureBoot', Uint8Array.of(0))
  const on = variableData(global, 'SecureBoot', Uint8Array.of(1))
  const facts = factsOf(replace(boot, 2, { data: on, measured: off }))
  t.is(facts.secureBoot.isEnabled, undefined)
  t.true(failed(facts).includes('eventlog-data'))
})

test('the data of two events, exchanged, is believed of neither', t => {
  const [first, second] = [boot[2], boot[5]]
  if (first === undefined || second === undefined) throw new Error('the boot has them')
  const events = boot
    .with(2, { ...first, data: second.data, measured: first.data })
    .with(5, { ...second, data: first.data, measured: second.data })
  const facts = factsOf(events)
  t.is(facts.secureBoot.isEnabled, undefined)
  t.is(facts.secureBoot.databases.db, undefined)
  t.deepEqual(
    facts.secureBoot.authorities.map(({ database }) => database),
    ['shim Shim'],
  )
})

test('a database that cannot be read, or is measured twice, is none', t => {
  const { imageSecurity } = variableVendor
  const broken = [
    boot.toSpliced(5, 0, boot[5] ?? separator(7)),
    boot.toSpliced(5, 1),
    replace(boot, 5, { data: variableData(imageSecurity, 'db', Buffer.alloc(27)) }),
    replace(boot, 5, { data: variableData(imageSecurity, 'db', dbEntry) }),
    replace(boot, 5, { data: Buffer.alloc(10) }),
  ]
  for (const events of broken) {
    const facts = factsOf(events)
    t.is(facts.secureBoot.databases.db, undefined)
    t.true(failed(facts).includes('eventlog-signature-database'))
  }
})

test('what shim verified by and is no certificate is of another kind', t => {
  const events = [...boot, authority(variableVendor.shimLock, 'MokList', Buffer.from('list'))]
  t.is(factsOf(events).secureBoot.authorities.at(-1)?.kind, 'other')
})

test('two revocation levels are none', t => {
  const level = authority(variableVendor.shimLock, 'SbatLevel', Buffer.from('sbat,1,2021030218\n'))
  t.is(factsOf([...boot, level]).secureBoot.sbatLevel, undefined)
})

test('a program is one whatever the log calls it', t => {
  const loader = boot.findIndex(
    ({ pcr, measured }) => pcr === 4 && Buffer.from(measured ?? []).toString() === 'grub',
  )
  const unfit: readonly number[] = [EVENT_TYPE.NO_ACTION, EVENT_TYPE.EFI_HCRTM_EVENT]
  const types = Object.values(EVENT_TYPE).filter(type => !unfit.includes(type))
  for (const type of types) {
    const { images } = factsOf(replace(boot, loader, { type }))
    t.deepEqual(
      images.map(({ digest }) => digest),
      [sha256('shim'), sha256('grub')],
    )
  }
})

test('a program is one even if the log carries all that was hashed, as an action', t => {
  const events = [...boot, { ...action(4, 'everything that the Authenticode digest is of') }]
  t.is(factsOf(events).images.length, 3)
  const long = [...boot, action(4, 'x'.repeat(4096))]
  t.is(factsOf(long).images.length, 3)
})

test('nothing is said of PCRs that were not quoted', t => {
  const facts = factsOf(boot, [0, 1])
  t.is(facts.secureBoot.isEnabled, undefined)
  t.deepEqual(facts.images, [])
  t.deepEqual(facts.bootLoader.commands, [])
  t.false(facts.firmware.hasExitedBootServices)
  t.deepEqual(
    facts.checks.map(({ code }) => code).filter(code => code === 'eventlog-boot-order'),
    [],
  )
})

test('a version of the firmware is text, or hex where it is none, and a part where it is not bound', t => {
  const version = (change: Partial<MadeEvent>): BootFacts['firmware'] =>
    factsOf(replace(boot, 0, change)).firmware
  t.is(version({ data: Buffer.from('0102030400', 'hex') }).version?.text, '0102030400')
  t.is(version({ data: wide('ü\0') }).version?.text, Buffer.from(wide('ü\0')).toString('hex'))
  const unbound = version({ measured: Buffer.from('other') })
  t.is(unbound.version, undefined)
  t.is(unbound.code.length, 2)
  t.is(version({ data: Buffer.alloc(300) }).version, undefined)
  const twice = factsOf([boot[0] ?? separator(0), ...boot]).firmware
  t.is(twice.code.length, 2)
})

test('a partition table that cannot be read is none', t => {
  const index = boot.findIndex(({ type }) => type === EVENT_TYPE.EFI_GPT_EVENT)
  const { partitions } = factsOf(replace(boot, index, { data: Buffer.alloc(99) })).firmware
  t.is(partitions, undefined)
})

test('the content of a boot variable may be what was measured, without its name', t => {
  const content = Buffer.from('boot order')
  const data = variableData(variableVendor.global, 'BootOrder', content)
  const event = { pcr: 6, type: EVENT_TYPE.EFI_VARIABLE_BOOT, data, measured: content }
  t.deepEqual(failed(factsOf([...boot, event])), [])
  t.deepEqual(failed(factsOf([...boot, { ...event, data: Buffer.alloc(3) }])), [])
})

test('facts are plain data: they survive JSON', t => {
  const facts = factsOf(unifiedBoot())
  t.deepEqual(JSON.parse(JSON.stringify(facts)), JSON.parse(JSON.stringify(structuredClone(facts))))
  t.is(digestOf('sha256', Buffer.from('kernel')).length, 32)
})

test('a variable of another kind is not a fact', t => {
  const { global } = variableVendor
  const extra = variable(global, 'AuditMode', Uint8Array.of(0))
  t.deepEqual(failed(factsOf([extra, ...boot])), [])
})
