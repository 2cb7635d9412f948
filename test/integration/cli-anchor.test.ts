import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { encodePem } from '../../src/attester/pem.ts'
import { createAuthority } from '../../swtpm/emulated/certificate.ts'
import { createEmulatedManufacturer } from '../../swtpm/emulated/manufacturer.ts'
import { buildCabinet } from '../support/cabinet-builder.ts'
import { publishList } from '../support/test-lists.ts'
import { createStage } from './cli-fixtures.ts'

const stage = await createStage()
const { assay, directory, issuer } = stage
const init = await assay(['init', '--issuer', issuer, '--allow-emulated', '--json'])
const config = join(directory, 'data', 'config.yaml')
await writeFile(
  config,
  (await readFile(config, 'utf8')).replace('hosts: []', 'hosts: [ek.example]'),
)
await stage.serve()

const maker = createEmulatedManufacturer(Date.now())
const other = createAuthority('Another root', Date.now())
const pem = (certificate: Uint8Array): Uint8Array =>
  Buffer.from(encodePem('CERTIFICATE', certificate))
const labels = ['--name', 'maker', '--vendor', 'IFX', '--assurance', 'emulated']

async function writeInput(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, bytes)
  return path
}

const collection = await writeInput(
  'TrustedTpm.cab',
  buildCabinet([
    { path: 'Infineon\\RootCA\\root.cer', bytes: maker.root.certificate },
    { path: 'Infineon\\IntermediateCA\\issuer.crt', bytes: pem(maker.issuer.certificate) },
    { path: 'Infineon\\RootCA\\spoiled.cer', bytes: Uint8Array.of(0x30, 0x82, 1, 2, 3) },
    {
      path: 'Infineon\\RootCA\\huge.cer',
      bytes: Buffer.concat([Buffer.of(0x30, 0x83), Buffer.alloc(9_000)]),
    },
    { path: 'version.txt', bytes: Buffer.from('1.0') },
  ]),
)
const bundle = await writeInput('bundle.pem', pem(other.certificate))

test.after.always(async () => await stage.close())

interface Shown {
  readonly fingerprint: string
  readonly kind: string
  readonly status: string
}

async function done(...args: string[]): Promise<Record<string, unknown>> {
  return await stage.done('operator', ...args)
}

async function anchors(...more: string[]): Promise<Shown[]> {
  return (await done('anchor', 'list', ...more))['anchors'] as Shown[]
}

test.serial('the vendor collection is proposed; each certificate is judged by itself', async t => {
  t.is(init.status, 0, init.stderr)
  const imported = await done('anchor', 'import', collection)
  const rows = imported['certificates'] as { outcome: string; code?: string; source: string }[]
  t.deepEqual(
    rows.map(row => [row.outcome, row.code]),
    [
      ['proposed', undefined],
      ['proposed', undefined],
      ['refused', 'anchor-malformed'],
    ],
  )
  const passedOver = imported['passedOver'] as string[]
  t.deepEqual(
    passedOver.map(source => source.split(/[:/]/).at(-1)),
    ['version.txt', 'huge.cer'],
  )
  const again = await assay(['anchor', 'import', collection])
  t.is(again.status, 0)
  t.regex(again.stdout, /^0 proposed, 2 known already, 1 refused, 2 passed over\.$/m)
  t.regex(again.stdout, /spoiled\.cer +anchor-malformed/)
  t.deepEqual(await anchors(), [])
})

test.serial(
  'a file without labels of its own needs them, and a file that holds nothing is refused',
  async t => {
    t.is((await assay(['anchor', 'import', bundle])).code, 'collection-unlabelled')
    t.is((await assay(['anchor', 'import', join(directory, 'absent')])).code, 'file-unreadable')
    const junk = await writeInput('junk', Buffer.from('hello'))
    t.is((await assay(['anchor', 'import', junk, ...labels])).code, 'collection-unreadable')
    const taken = await done('anchor', 'import', bundle, ...labels)
    t.like(taken['certificates'], [{ outcome: 'proposed' }])
  },
)

test.serial('diff shows what an approval would add', async t => {
  const diff = await done('anchor', 'diff')
  t.like(diff, { from: 0, to: 'proposed', removed: [] })
  t.is((diff['added'] as unknown[]).length, 3)
  const shown = await assay(['anchor', 'diff'])
  t.regex(shown.stdout, /^\+ +infineon +id:49465800 +tpm-discrete +root/m)
  t.regex(shown.stdout, /^\+ +maker +id:49465800 +emulated +root/m)
})

test.serial(
  'approve takes one by its fingerprint, with or without the name of the hash',
  async t => {
    const all = await anchors('--all')
    const root = all.find(({ kind }) => kind === 'root')?.fingerprint ?? ''
    const approved = await assay(['anchor', 'approve', `sha256:${root}`])
    t.is(approved.status, 0, approved.stderr)
    t.true(approved.stdout.includes(root))
    t.regex(approved.stdout, /^In force with version 1\.$/m)
    const twice = await assay(['anchor', 'approve', root])
    t.is(twice.status, 1)
    t.is(twice.code, 'anchor-active')
    t.is((await assay(['anchor', 'approve', 'ab'.repeat(32)])).code, 'anchor-unknown')
    t.deepEqual(
      (await anchors()).map(row => row.fingerprint),
      [root],
    )
  },
)

test.serial('--all-proposed shows what it would approve, and does it only with --yes', async t => {
  const shown = await assay(['anchor', 'approve', '--all-proposed', '--json'])
  t.is(shown.status, 1)
  t.is(shown.code, 'approval-unconfirmed')
  t.is((shown.json() as Record<string, unknown[]>)['anchors']?.length, 2)
  t.is((await anchors()).length, 1)
  const approved = await done('anchor', 'approve', '--all-proposed', '--yes')
  t.is(approved['version'], 2)
  t.is((await anchors()).length, 3)
  t.regex((await assay(['anchor', 'approve', '--all-proposed'])).stdout, /^Nothing is proposed\.$/m)
})

test.serial('approve wants fingerprints or --all-proposed, and not both', async t => {
  for (const [args, code] of [
    [[], 'usage-missing'],
    [['ab'.repeat(32), '--all-proposed'], 'usage-contradiction'],
    [['abc'], 'usage-malformed'],
  ] as const) {
    const wrong = await assay(['anchor', 'approve', ...args])
    t.is(wrong.status, 2)
    t.is(wrong.code, code)
  }
})

test.serial('crl add brings what an issuer revoked, in DER or PEM; crl list shows it', async t => {
  t.regex((await assay(['anchor', 'crl', 'list'])).stdout, /^No list is kept/m)
  const now = Date.now()
  const first = await writeInput('first.crl', publishList(maker.issuer, { now }))
  const added = await done('anchor', 'crl', 'add', first, '--source', 'http://ek.example/a.crl')
  t.like(added, { kind: 'crl', number: '1', revoked: 0, isStale: false })
  const second = publishList(maker.issuer, {
    now,
    number: 2,
    holdsMs: -1,
    revoked: [maker.issuer.certificate],
  })
  const text = Buffer.from(encodePem('X509 CRL', second))
  const stale = await assay(['anchor', 'crl', 'add', await writeInput('second.pem', text)])
  t.is(stale.status, 0, stale.stderr)
  t.regex(stale.stdout, /It is stale/)
  const listed = await assay(['anchor', 'crl', 'list'])
  t.regex(listed.stdout, /^ISSUER +KIND +NUMBER +REVOKED/m)
  t.regex(listed.stdout, /^Emulated TPMs issuer .* +crl +2 +1 .* yes +given by hand$/m)
  const older = await assay(['anchor', 'crl', 'add', first])
  t.is(older.status, 1)
  t.is(older.code, 'revocation-list-older')
})

test.serial('crl add refuses what is no list, or of nobody in force', async t => {
  const stranger = createAuthority('Stranger', Date.now())
  const foreign = await writeInput('foreign.crl', publishList(stranger, { now: Date.now() }))
  for (const [file, code] of [
    [foreign, 'revocation-list-issuer'],
    [bundle, 'file-unreadable'],
    [join(directory, 'absent.crl'), 'file-unreadable'],
    [collection, 'revocation-list-malformed'],
  ] as const) {
    const refused = await assay(['anchor', 'crl', 'add', file])
    t.is(refused.status, 1)
    t.is(refused.code, code)
  }
})

test.serial(
  'retire takes one out of the set, for a reason, and the versions can be compared',
  async t => {
    const root = (await anchors())[0]?.fingerprint ?? ''
    const without = await assay(['anchor', 'retire', root])
    t.is(without.status, 2)
    const retired = await done('anchor', 'retire', root, '--reason', 'a test')
    t.is(retired['version'], 3)
    t.is((await anchors()).length, 2)
    const [row] = (await anchors('--all')).filter(({ fingerprint }) => fingerprint === root)
    t.is(row?.status, 'retired')
    const diff = await assay(['anchor', 'diff', '--from', '2', '--to', '3'])
    t.regex(diff.stdout, new RegExp(`^- .* ${root}$`, 'm'))
    const whole = await done('anchor', 'diff', '--from', '0', '--to', '2')
    t.is((whole['added'] as unknown[]).length, 3)
    t.is((await assay(['anchor', 'retire', root, '--reason', 'again'])).code, 'anchor-retired')
    t.is((await assay(['anchor', 'diff', '--to', 'soon'])).status, 2)
  },
)
