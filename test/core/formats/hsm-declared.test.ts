import test from 'ava'
import { createTestKey } from '../../support/compact-jws.ts'
import { refusalOf } from '../verifier/fixtures.ts'
import {
  attestationKey,
  completed,
  context,
  declaredEvidence,
  expectations,
  key,
  token,
  verified,
} from './hsm-fixtures.ts'
import { goodAttributes } from '../../../swtpm/emulated/hsm-attributes.ts'

const format = 'hsm-declared'

function refusal(...args: Parameters<typeof declaredEvidence>): string {
  return refusalOf(() => verified(format, declaredEvidence(...args)))
}

test('a key that a registered attestation key speaks for is verified, at the level that says so', t => {
  const proven = verified(format, declaredEvidence())
  t.is(proven.jkt, key.jkt)
  t.is(proven.assurance, 'hsm-declared')
  t.is(proven.endorsementKind, 'registered')
  t.is(proven.registeredJkt, attestationKey.jkt)
  t.is(proven.facts.vendor, token.manufacturer)
})

const wrong: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
  ['another nonce', { nonce: 'AAAA' }, 'hsm-statement-nonce'],
  ['a nonce that is none', { nonce: '!' }, 'hsm-statement-nonce'],
  ['another service', { aud: 'https://other.example' }, 'hsm-statement-audience'],
  ['another purpose', { purpose: 'agent' }, 'hsm-statement-audience'],
  ['another enrolment', { context: 'before' }, 'hsm-statement-audience'],
  ['another request', { csrSha256: 'AAAA' }, 'hsm-statement-key'],
  ['another key', { jkt: attestationKey.jkt }, 'hsm-statement-key'],
  ['another token', { token: { ...token, serial: '0043' } }, 'hsm-token-differs'],
  ['a purpose that is none', { purpose: 'pet' }, 'hsm-statement-malformed'],
  ['a number for a text', { firmware: 7 }, 'hsm-statement-malformed'],
  ['a token without serial number', { token: { ...token, serial: 7 } }, 'hsm-statement-malformed'],
  ['no attributes', { attributes: {} }, 'hsm-statement-malformed'],
  ['one member more', { more: 1 }, 'hsm-statement-malformed'],
  [
    'a key that may leave',
    { attributes: { ...goodAttributes, CKA_EXTRACTABLE: true } },
    'hsm-extractable',
  ],
  [
    'a key that could leave',
    { attributes: { ...goodAttributes, CKA_NEVER_EXTRACTABLE: false } },
    'hsm-ever-extractable',
  ],
  [
    'a key from elsewhere',
    { attributes: { ...goodAttributes, CKA_LOCAL: false } },
    'hsm-not-local',
  ],
]

for (const [what, change, code] of wrong)
  test(`a statement of ${what} is refused`, t => {
    t.is(refusal(change), code)
  })

test('a statement by a key that nobody registered, or under its name, is refused', t => {
  const stranger = createTestKey()
  t.is(refusal({}, { by: stranger }), 'hsm-statement-signer')
  t.is(
    refusal({}, { by: stranger, header: { kid: attestationKey.jkt } }),
    'hsm-statement-signature',
  )
  const evidence = declaredEvidence()
  t.is(
    refusalOf(() => verified(format, evidence, { hsmKeys: [] })),
    'hsm-statement-signer',
  )
  const { hsmKeys: _none, ...nobody } = expectations
  const against = (expected: typeof nobody): string =>
    refusalOf(() => verified(format, evidence, { hsmKeys: [], ...expected }))
  t.is(against(nobody), 'hsm-statement-signer')
})

test('a statement of another type, algorithm or with more in its header is refused', t => {
  t.is(refusal({}, { header: { typ: 'JWT' } }), 'hsm-statement-malformed')
  t.is(refusal({}, { header: { kid: 7 } }), 'hsm-statement-malformed')
  t.is(refusal({}, { header: { jwk: attestationKey.jwk } }), 'hsm-statement-malformed')
  t.is(refusal({}, { header: { alg: 'none' } }), 'hsm-statement-signature')
  t.is(refusal({}, { header: { alg: 'ES384' } }), 'hsm-statement-signature')
  const junk = completed(format, { statement: Buffer.from('no statement') })
  t.is(
    refusalOf(() => verified(format, junk)),
    'hsm-statement-malformed',
  )
})

test('an attestation key does not speak for itself', t => {
  t.is(refusal({}, { signer: attestationKey }), 'hsm-statement-self')
})

test('a statement that was answered is of no use for a later challenge', t => {
  const evidence = declaredEvidence()
  t.is(
    refusalOf(() => verified(format, evidence)),
    'accepted',
  )
  const later = { ...context, nonce: Buffer.alloc(32, 8) }
  t.is(
    refusalOf(() => verified(format, evidence, { context: later })),
    'hsm-proof',
  )
  const { statement, csr } = evidence
  const replayed = completed(format, { statement, csr }, key, later)
  t.is(
    refusalOf(() => verified(format, replayed, { context: later })),
    'hsm-statement-nonce',
  )
})

test('a key of SoftHSM is emulated, whoever vouches for it', t => {
  const soft = { manufacturer: 'SoftHSM project', model: 'SoftHSM v2', serial: '1' }
  const hsmKeys = [{ jwk: attestationKey.jwk, isToken: () => true }]
  const evidence = { ...declaredEvidence({ token: soft }), token: soft }
  t.is(verified(format, evidence, { hsmKeys }).assurance, 'emulated')
})
