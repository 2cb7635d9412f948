import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import type { CeremonyContext } from '../../src/cli/ceremony/context.ts'
import { holdCeremony } from '../../src/cli/ceremony/hold.ts'
import { placeIn } from '../../src/cli/ceremony/place.ts'
import { parseCeremony } from '../../src/cli/ceremony/script.ts'
import type { CeremonyError } from '../../src/core/ceremony/error.ts'
import { testAuthorityIssuance } from '../support/test-issuance.ts'
import {
  createCeremonyStage,
  dayFromNow,
  exampleOf,
  firstSha256,
  requestOf,
  type CeremonyStage,
} from './ceremony-stage.ts'

type Script = Record<string, unknown>

const codeOf = (ran: { readonly json: () => unknown }): string =>
  (ran.json() as { error: { code: string } }).error.code

async function refuses(t: ExecutionContext, stage: CeremonyStage, script: Script): Promise<void> {
  for (const options of [[], ['--check']]) {
    const ran = await stage.run(script, ...options)
    t.is(codeOf(ran), 'ceremony-output', JSON.stringify(script))
    t.false(existsSync(stage.path('root.key.pem')))
  }
}

test('what has no room is refused before anything is made, in a rehearsal as well', async t => {
  const stage = await createCeremonyStage(t)
  mkdirSync(stage.path('out'))
  symlinkSync('nowhere', stage.path('link.pem'))
  symlinkSync('out', stage.path('same'))
  writeFileSync(stage.path('file'), '', { mode: 0o777 })
  const certificates = [
    'no/root.pem',
    'file/root.pem',
    'link.pem',
    'out',
    'root.key.pem',
    `${'a'.repeat(300)}.pem`,
  ]
  for (const certificate of certificates)
    await refuses(t, stage, exampleOf('root', { certificate }))
  await refuses(t, stage, exampleOf('root', { key: { place: 'no/a.pem', make: 'P-384' } }))
  const key = { place: 'out/a.pem', make: 'P-384' }
  await refuses(t, stage, exampleOf('root', { key, certificate: 'same/a.pem' }))
  await stage.hold('root', { key, certificate: 'same/b.pem' }, '--check')
  await stage.hold('root', { key, certificate: 'same/b.pem' })
  t.true(existsSync(stage.path('out/b.pem')))
})

test('each file of each kind needs its room', async t => {
  const stage = await createCeremonyStage(t)
  const cases: readonly (readonly [string, Script])[] = [
    ['request', { request: 'no/a.csr' }],
    ['intermediate', { certificate: 'no/a.pem' }],
    ['intermediate', { chain: 'no/a.pem' }],
    ['intermediate', { request: undefined, key: { place: 'no/a.pem', make: 'P-256' } }],
    ['cross-certificate', { certificate: 'no/a.pem' }],
    ['cross-certificate', { chain: 'no/a.pem' }],
    ['crl', { list: 'no/a.crl' }],
  ]
  for (const [kind, changes] of cases) await refuses(t, stage, exampleOf(kind, changes))
  mkdirSync(stage.path('no'))
  await stage.hold('root')
  for (const [kind, changes] of cases.slice(0, 1)) await stage.hold(kind, changes)
  await stage.hold('crl', { list: 'no/a.crl', revoked: [] })
  t.true(existsSync(stage.path('no/a.crl')))
})

test('a folder in which this user may not write is no room', async t => {
  const stage = await createCeremonyStage(t)
  mkdirSync(stage.path('out'))
  const script = exampleOf('root', { certificate: 'out/root.pem' })
  chmodSync(stage.path('out'), 0o555)
  // Nobody keeps the superuser out.
  if (process.getuid?.() !== 0) await refuses(t, stage, script)
  chmodSync(stage.path('out'), 0o755)
  t.is((await stage.run(script)).status, 0)
})

/** Holds a ceremony in which something happens after the signature, when a path is asked for again to be written. */
async function holdSpoilt(
  stage: CeremonyStage,
  script: Script,
  path: string,
  spoil: () => void,
): Promise<void> {
  const place = placeIn(stage.folder)
  let asked = 0
  const context: CeremonyContext = {
    issuance: testAuthorityIssuance,
    now: Date.now(),
    random: length => randomBytes(length),
    isCheck: false,
    place: name => {
      asked += name === path ? 1 : 0
      if (name === path && asked === 2) spoil()
      return place(name)
    },
    pinSource: undefined,
  }
  await holdCeremony(parseCeremony(JSON.stringify(script)), context)
}

test('a certificate that was signed and cannot be written is named, so that it can be revoked', async t => {
  const stage = await createCeremonyStage(t)
  const root = await stage.hold('root')
  await stage.hold('request')
  mkdirSync(stage.path('out'))
  const issuer = {
    certificate: 'root.pem',
    sha256: root['certificateSha256'],
    key: { place: 'root.key.pem' },
  }
  const files = { certificate: 'out/issuing.pem', chain: 'out/chain.pem' }
  const request = requestOf(stage, 'issuing.csr')
  const script = exampleOf('intermediate', { issuer, request, ...files })
  const hold = async (spoil: () => void): Promise<CeremonyError | undefined> =>
    await t.throwsAsync<CeremonyError>(
      async () => await holdSpoilt(stage, script, files.certificate, spoil),
      { code: 'ceremony-unwritten' },
    )
  const lost = await hold(() => rmSync(stage.path('out'), { recursive: true }))
  t.is(lost?.expected, `${stage.path(files.certificate)}, ${stage.path(files.chain)} to be written`)
  const [, serial] =
    /^ENOENT; signed: serial ([0-9a-f]{32}), certificateSha256 [0-9a-f]{64}$/.exec(
      lost?.found ?? '',
    ) ?? []
  await stage.hold('crl', {
    revoked: [{ serial, revokedAt: dayFromNow(-1), reason: 'superseded' }],
  })
  mkdirSync(stage.path('out'))
  const partly = await hold(() => writeFileSync(stage.path(files.chain), 'mine'))
  t.is(partly?.expected, `${stage.path(files.chain)} to be written`)
  t.is(stage.read(files.chain), 'mine')
  t.true(partly?.found?.endsWith(firstSha256(stage.read(files.certificate))))
})

test('a list and a request that cannot be written are named as well', async t => {
  const stage = await createCeremonyStage(t)
  const root = await stage.hold('root')
  const key = { place: 'root.key.pem' }
  const issuer = { certificate: 'root.pem', sha256: root['certificateSha256'], key }
  mkdirSync(stage.path('out'))
  const scripts = [
    ['crl', { issuer, revoked: [], number: 7, list: 'out/a' }, /; signed: number 7, listSha256 /],
    ['request', { key, request: 'out/a' }, /; signed: requestSha256 [0-9a-f]{64}$/],
  ] as const
  for (const [kind, changes, found] of scripts) {
    const script = exampleOf(kind, changes)
    const error = await t.throwsAsync<CeremonyError>(
      async () =>
        await holdSpoilt(stage, script, 'out/a', () => writeFileSync(stage.path('out/a'), 'mine')),
      { code: 'ceremony-unwritten' },
    )
    t.regex(error?.found ?? '', found)
    rmSync(stage.path('out/a'))
    await holdSpoilt(stage, script, 'out/a', () => undefined)
    rmSync(stage.path('out/a'))
  }
})
