import test from 'ava'
import { parseEventLog } from '../../../src/core/eventlog/event-log.ts'
import { EVENT_TYPE } from '../../../src/core/eventlog/event-type.ts'
import {
  agileRecord,
  digestOf,
  headerRecord,
  legacyRecord,
  makeEventLog,
  specIdData,
  u32le,
  type MadeEvent,
} from '../../../swtpm/emulated/event-log.ts'
import { action, grubBoot, separator } from '../../../swtpm/emulated/boot-events.ts'

const sha256 = [[0xb, 32]] as const
const zeros = new Uint8Array(32)

function logOf(...events: MadeEvent[]): Uint8Array {
  return makeEventLog(events)
}

function locality(value: number, pcr = 0): MadeEvent {
  const data = Buffer.concat([Buffer.from('StartupLocality\0'), Uint8Array.of(value)])
  return { pcr, type: EVENT_TYPE.NO_ACTION, data }
}

function hcrtm(pcr = 0): MadeEvent {
  return { pcr, type: EVENT_TYPE.EFI_HCRTM_EVENT, data: Buffer.from('HCRTM') }
}

function trustPoint(data: Uint8Array, digest = digestOf('sha256', data)): MadeEvent {
  return { pcr: 0xffff_ffff, type: EVENT_TYPE.NO_ACTION, data, digests: [[0xb, digest]] }
}

test('reads every event of a log as it was made', t => {
  const events = grubBoot()
  const log = parseEventLog(makeEventLog(events, ['sha1', 'sha256', 'sha384']))
  t.is(log.format, 'tcg2')
  t.is(log.count, events.length)
  t.deepEqual(
    log.banks.map(({ hash }) => hash?.name),
    ['sha1', 'sha256', 'sha384'],
  )
  const read = [...log.events()]
  t.deepEqual(
    read.map(({ pcr, type }) => [pcr, type]),
    events.map(({ pcr, type }) => [pcr, type]),
  )
  t.deepEqual(
    read.map(({ index }) => index),
    events.map((_, i) => i + 1),
  )
  t.deepEqual(Buffer.from(read[3]?.data ?? []), Buffer.from(events[3]?.data ?? []))
})

test('every truncation of a log is malformed, whatever the offset', t => {
  const bytes = logOf(separator(0), action(4, 'text'), separator(1))
  const ends = new Set([headerRecord(specIdData(sha256)).length])
  let end = [...ends][0] ?? 0
  for (const event of [separator(0), action(4, 'text')]) {
    end += agileRecord(event, ['sha256']).length
    ends.add(end)
  }
  for (let length = 0; length < bytes.length; length += 1) {
    const cut = bytes.subarray(0, length)
    if (ends.has(length)) t.notThrows(() => parseEventLog(cut))
    else {
      const error = t.throws(() => parseEventLog(cut), { name: 'EventLogError' })
      const codes = ['eventlog-malformed', 'eventlog-size', 'eventlog-legacy']
      t.true(codes.includes((error as unknown as { code: string }).code), `${length}`)
    }
  }
})

test('bytes after the last event are malformed', t => {
  const bytes = Buffer.concat([logOf(separator(0)), Uint8Array.of(0)])
  t.throws(() => parseEventLog(bytes), { code: 'eventlog-malformed' })
})

test('counts and sizes of all ones are refused before anything is allocated', t => {
  const huge = 0xffff_ffff
  const header = headerRecord(specIdData(sha256))
  const cases: [Uint8Array, string][] = [
    [Buffer.concat([u32le(0), u32le(3), Buffer.alloc(20), u32le(huge)]), 'eventlog-malformed'],
    [headerRecord(specIdData(sha256, { count: huge })), 'eventlog-header'],
    [Buffer.concat([header, u32le(0), u32le(1), u32le(huge)]), 'eventlog-digests'],
    [
      Buffer.concat([header, agileRecord(separator(0), ['sha256']).subarray(0, -8), u32le(huge)]),
      'eventlog-malformed',
    ],
  ]
  for (const [bytes, code] of cases) t.throws(() => parseEventLog(bytes), { code })
})

test('logs are capped in bytes and in events', t => {
  const bytes = logOf(separator(0), separator(1))
  t.throws(() => parseEventLog(new Uint8Array(0)), { code: 'eventlog-size' })
  t.throws(() => parseEventLog(bytes, { maxBytes: bytes.length - 1 }), { code: 'eventlog-size' })
  t.throws(() => parseEventLog(bytes, { maxEvents: 1 }), { code: 'eventlog-size' })
  t.notThrows(() => parseEventLog(bytes, { maxBytes: bytes.length, maxEvents: 2 }))
  t.notThrows(() => parseEventLog(logOf({ pcr: 0, type: 1, data: Buffer.alloc(1024 * 1024) })))
})

test('a header must be an event without action or digest, in PCR 0, of version 2.0', t => {
  const data = specIdData(sha256)
  t.notThrows(() => parseEventLog(headerRecord(data)))
  const wrong = [
    headerRecord(data, { type: 1 }),
    headerRecord(data, { pcr: 1 }),
    headerRecord(data, { digest: Buffer.alloc(20, 1) }),
    headerRecord(specIdData(sha256, { version: [1, 2] })),
    headerRecord(specIdData(sha256, { version: [2, 1] })),
    headerRecord(specIdData([])),
    headerRecord(specIdData(Array.from({ length: 17 }, (_, i) => [0x100 + i, 32] as const))),
  ]
  for (const bytes of wrong) t.throws(() => parseEventLog(bytes), { code: 'eventlog-header' })
})

test('vendor information must be there as its size says, and end the header', t => {
  const vendorInfo = Buffer.from('vendor')
  const whole = specIdData(sha256, { vendorInfo })
  t.notThrows(() => parseEventLog(headerRecord(whole)))
  const missing = headerRecord(whole.subarray(0, -vendorInfo.length))
  t.throws(() => parseEventLog(missing), { code: 'eventlog-malformed' })
  const more = headerRecord(Buffer.concat([whole, Uint8Array.of(0)]))
  t.throws(() => parseEventLog(more), { code: 'eventlog-malformed' })
})

test('an algorithm stands in the header once, with its own size', t => {
  const wrong = [
    [
      [0xb, 32],
      [0xb, 32],
    ],
    [[0xb, 20]],
    [[0x12, 20]],
    [[0x27, 48]],
    [[0x999, 0]],
    [[0x999, 65]],
  ] as const
  for (const algorithms of wrong) {
    const bytes = headerRecord(specIdData(algorithms))
    t.throws(() => parseEventLog(bytes), { code: 'eventlog-algorithm' })
  }
})

test('an algorithm that is not known is read past by its declared size; 0x010B is not SHA-256', t => {
  const header = headerRecord(
    specIdData([
      [0x010b, 32],
      [0x12, 32],
      [0x28, 48],
      [0xb, 32],
    ]),
  )
  const digests = [
    [0x010b, zeros],
    [0x12, zeros],
    [0x28, Buffer.alloc(48)],
    [0xb, digestOf('sha256', u32le(0))],
  ] as const
  const bytes = Buffer.concat([header, agileRecord({ ...separator(0), digests }, [])])
  const log = parseEventLog(bytes)
  t.deepEqual(
    log.banks.map(({ hash }) => hash?.name),
    [undefined, undefined, undefined, 'sha256'],
  )
})

test('an event has each digest at most once, of the algorithms of the header, and one at least', t => {
  const digest = digestOf('sha256', u32le(0))
  const wrong = [
    [],
    [
      [0xb, digest],
      [0xb, digest],
    ],
    [[0x4, Buffer.alloc(20)]],
    [[0x10b, digest]],
  ] as const
  for (const digests of wrong)
    t.throws(() => parseEventLog(logOf({ ...separator(0), digests })), { code: 'eventlog-digests' })
})

test('an event may lack one of two banks', t => {
  const digests = [[0xb, digestOf('sha256', u32le(0))]] as const
  const bytes = makeEventLog([{ ...separator(11), digests }], ['sha1', 'sha256'])
  t.is(parseEventLog(bytes).count, 1)
})

test('an event of a PCR that does not exist is refused', t => {
  t.notThrows(() => parseEventLog(logOf(separator(23))))
  for (const pcr of [24, 255, 0xffff_fffe, 0xffff_ffff])
    t.throws(() => parseEventLog(logOf(separator(pcr))), { code: 'eventlog-pcr-index' })
})

test('an event without action has a digest of zeros', t => {
  const data = Buffer.from('anything')
  const event = { pcr: 0, type: EVENT_TYPE.NO_ACTION, data }
  t.notThrows(() => parseEventLog(logOf(event)))
  const digests = [[0xb, digestOf('sha256', data)]] as const
  const code = 'eventlog-no-action'
  t.throws(() => parseEventLog(logOf({ ...event, digests })), { code })
})

test('padding of ones is refused in the log of a TPM, and taken in a CCEL if nothing follows', t => {
  const padding = Buffer.alloc(64, 0xff)
  const bytes = Buffer.concat([logOf(separator(0)), padding])
  t.throws(() => parseEventLog(bytes), { code: 'eventlog-padding' })
  const ccel = Buffer.concat([
    headerRecord(specIdData([[0xc, 48]]), { pcr: 1 }),
    agileRecord(separator(1), ['sha384']),
  ])
  const log = parseEventLog(Buffer.concat([ccel, padding]), { isCcel: true })
  t.is(log.format, 'ccel')
  t.is(log.count, 1)
  t.is([...log.events()].length, 1)
  const followed = Buffer.concat([ccel, padding, Uint8Array.of(0)])
  t.throws(() => parseEventLog(followed, { isCcel: true }), { name: 'EventLogError' })
})

test('a CCEL is read as such only where that was said, and has no more than its registers', t => {
  const header = headerRecord(specIdData([[0xc, 48]]), { pcr: 1 })
  t.throws(() => parseEventLog(header), { code: 'eventlog-header' })
  t.throws(() => parseEventLog(logOf(), { isCcel: true }), { code: 'eventlog-header' })
  const legacy = legacyRecord(separator(0))
  t.throws(() => parseEventLog(legacy, { isCcel: true }), { code: 'eventlog-header' })
  const fifth = Buffer.concat([header, agileRecord(separator(5), ['sha384'])])
  t.throws(() => parseEventLog(fifth, { isCcel: true }), { code: 'eventlog-pcr-index' })
})

test('the record of Windows for its quotes is an event like others, with the digest of its data', t => {
  const data = Buffer.from('quotes')
  t.is(parseEventLog(logOf(trustPoint(data), separator(0))).count, 2)
  const changed = trustPoint(Buffer.from('Quotes'), digestOf('sha256', data))
  const code = 'eventlog-trust-point'
  t.throws(() => parseEventLog(logOf(changed)), { code })
  t.throws(() => parseEventLog(logOf(trustPoint(data, zeros))), { code })
  const after = Buffer.concat([logOf(trustPoint(data)), Buffer.alloc(4)])
  t.throws(() => parseEventLog(after), { code: 'eventlog-malformed' })
  const two = {
    ...trustPoint(data),
    digests: [
      [4, Buffer.alloc(20, 1)],
      [0xb, digestOf('sha256', data)],
    ],
  }
  const bytes = makeEventLog([two as unknown as MadeEvent], ['sha1', 'sha256'])
  t.throws(() => parseEventLog(bytes), { code })
})

test('the startup locality is 0, 3 or 4, said once, before PCR 0 is extended, and for PCR 0', t => {
  for (const value of [0, 3, 4]) {
    const { startup } = parseEventLog(logOf(locality(value), separator(0)))
    t.deepEqual(startup, { locality: value as 0, isStated: true, hasHcrtm: false })
  }
  const other = separator(1)
  t.is(parseEventLog(logOf(other, locality(3))).startup.locality, 3)
  const wrong = [
    logOf(locality(7)),
    logOf(locality(3), locality(3)),
    logOf(separator(0), locality(3)),
    logOf(locality(3, 1)),
    logOf({ pcr: 0, type: EVENT_TYPE.NO_ACTION, data: Buffer.from('StartupLocality\0') }),
    logOf({ pcr: 0, type: EVENT_TYPE.NO_ACTION, data: Buffer.from('StartupLocality\0\u0003\0') }),
  ]
  for (const bytes of wrong)
    t.throws(() => parseEventLog(bytes), { code: 'eventlog-startup-locality' })
})

test('an H-CRTM event stands first in PCR 0 and means locality 4', t => {
  t.deepEqual(parseEventLog(logOf(hcrtm())).startup, {
    locality: 4,
    isStated: false,
    hasHcrtm: true,
  })
  t.true(parseEventLog(logOf(locality(4), hcrtm())).startup.hasHcrtm)
  const wrong = [
    logOf(separator(0), hcrtm()),
    logOf(hcrtm(1)),
    logOf(locality(3), hcrtm()),
    logOf(locality(0), hcrtm()),
    logOf(hcrtm(), hcrtm()),
  ]
  for (const bytes of wrong) t.throws(() => parseEventLog(bytes), { code: 'eventlog-hcrtm' })
})

test('a log of TPM 1.2 is read only where that is allowed by name', t => {
  const bytes = Buffer.concat([legacyRecord(separator(0)), legacyRecord(separator(1))])
  t.throws(() => parseEventLog(bytes), { code: 'eventlog-legacy' })
  const log = parseEventLog(bytes, { allowLegacy: true })
  t.is(log.format, 'legacy')
  t.is(log.count, 2)
  t.deepEqual(
    [...log.events()].map(({ index }) => index),
    [0, 1],
  )
})
