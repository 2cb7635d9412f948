import { writeFileSync } from 'node:fs'
import test from 'ava'
import {
  createCeremonyStage,
  dayFromNow,
  exampleOf,
  firstSha256,
  holdHierarchy,
  issuerOf,
  requestOf,
  type CeremonyStage,
} from './ceremony-stage.ts'

interface Refusal {
  readonly error: { readonly code: string; readonly expected?: string; readonly found?: string }
}

async function refusalOf(
  stage: CeremonyStage,
  script: Record<string, unknown>,
  ...options: string[]
): Promise<Refusal['error']> {
  const ran = await stage.run(script, ...options)
  return (ran.json() as Refusal).error
}

test('another certificate over the issuer’s key is not the one that was reviewed', async t => {
  const stage = await createCeremonyStage(t)
  await stage.hold('root')
  await stage.hold('request')
  const key = { place: 'root.key.pem' }
  const other = { subject: 'Other', pathLength: 3, notAfter: dayFromNow(3000) }
  await stage.hold('root', { ...other, key, certificate: 'other.pem' })
  const request = requestOf(stage, 'issuing.csr')
  const certified = { file: 'root.pem', sha256: firstSha256(stage.read('root.pem')) }
  const scripts = [
    ['intermediate', { request }],
    ['cross-certificate', { certified }],
    ['crl', { revoked: [] }],
  ] as const
  const sha256 = firstSha256(stage.read('root.pem'))
  const swapped = { certificate: 'other.pem', sha256, key }
  const facts = {
    code: 'ceremony-differs',
    expected: `sha256:${sha256}`,
    found: `sha256:${firstSha256(stage.read('other.pem'))}`,
  }
  for (const [kind, changes] of scripts) {
    const script = exampleOf(kind, { ...changes, issuer: swapped })
    t.like(await refusalOf(stage, script), facts, kind)
    t.like(await refusalOf(stage, script, '--check'), facts, kind)
    await stage.hold(kind, { ...changes, issuer: { certificate: 'root.pem', sha256, key } })
  }
})

test('an issuer’s file holds those above it in order, and nothing else is handed on', async t => {
  const stage = await createCeremonyStage(t)
  await holdHierarchy(stage)
  const key = { place: 'middle.key.pem', make: 'P-384' }
  const middle = { subject: 'Middle', key, pathLength: 1, request: undefined }
  await stage.hold('intermediate', { ...middle, certificate: 'middle.pem', chain: 'm-chain.pem' })
  const strange = { place: 'stranger.key.pem', make: 'P-384' }
  await stage.hold('root', { subject: 'Stranger', key: strange, certificate: 'stranger.pem' })
  writeFileSync(stage.path('odd.pem'), stage.read('m-chain.pem') + stage.read('stranger.pem'))
  const below = (certificate: string): Record<string, unknown> => ({
    request: requestOf(stage, 'issuing.csr'),
    issuer: issuerOf(certificate, { place: 'middle.key.pem' }),
    certificate: 'below.pem',
    chain: 'below-chain.pem',
  })
  const odd = exampleOf('intermediate', below('odd.pem'))
  t.is((await refusalOf(stage, odd)).code, 'ceremony-above')
  t.is((await refusalOf(stage, odd, '--check')).code, 'ceremony-above')
  await stage.hold('intermediate', below('m-chain.pem'))
  t.is(stage.read('below-chain.pem'), stage.read('below.pem') + stage.read('m-chain.pem'))
})
