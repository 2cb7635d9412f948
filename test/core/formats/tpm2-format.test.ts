import test from 'ava'
import { encodeEnvelope, parseEnvelope } from '../../../src/core/formats/envelope.ts'
import type { FormatExpectations } from '../../../src/core/formats/evidence-format.ts'
import type { TpmEvidence } from '../../../src/core/formats/tpm2/evidence.ts'
import { tpm2Format } from '../../../src/core/formats/tpm2/format.ts'
import type { AnswerEdit } from '../../../swtpm/emulated/answer.ts'
import { answer, audience, beginEnrollment, now, refusalOf } from '../verifier/fixtures.ts'

const enrollment = beginEnrollment()
const { challenge, secret, keys, anchor } = enrollment

const expected: FormatExpectations = {
  anchors: [anchor],
  intermediates: [],
  revocation: { lists: [], responses: [] },
  endorsementPolicy: {},
  challenge: {
    audience,
    enrollmentId: challenge.id,
    nonce: challenge.nonce,
    secret,
    pcrs: challenge.pcrSelection.sha256,
  },
  now: new Date(now),
}

const received = (edit?: AnswerEdit): TpmEvidence => ({
  ...keys,
  ...answer(enrollment, edit),
  eventLog: null,
  imaLog: null,
})

/** Through the bytes that would be kept. */
function refusal(evidence: TpmEvidence, change: Partial<FormatExpectations> = {}): string {
  const kept = parseEnvelope(tpm2Format, encodeEnvelope(tpm2Format, evidence))
  return refusalOf(() => tpm2Format.verify(kept, { ...expected, ...change }))
}

test('an honest answer verifies from its kept bytes, with the checks of both keys before its own', t => {
  const evidence = received()
  const verified = tpm2Format.verify(evidence, expected)
  const families = ['ek-', 'ak-', 'activation-', 'quote-', 'certify-']
  const places = families.map(family =>
    verified.checks.findIndex(({ code }) => code.startsWith(family)),
  )
  t.true(places.every(place => place >= 0))
  t.deepEqual(
    places,
    places.toSorted((left, right) => left - right),
  )
  t.is(refusal(evidence), 'accepted')
})

test('it is held to what is known now: anchors, time and what issuers said', t => {
  const evidence = received()
  t.is(refusal(evidence, { anchors: [] }), 'path-issuer')
  const later = new Date(now + 100 * 365 * 86_400_000)
  t.is(refusal(evidence, { now: later }), 'path-validity')
  const endorsementPolicy = { revocation: 'require' } as const
  t.is(refusal(evidence, { endorsementPolicy }), 'ek-revocation-unavailable')
})

test('it is held to the challenge that it answers', t => {
  const evidence = received()
  const other = (change: Partial<FormatExpectations['challenge']>): string =>
    refusal(evidence, { challenge: { ...expected.challenge, ...change } })
  t.is(other({}), 'accepted')
  t.is(other({ secret: new Uint8Array(32) }), 'activation-proof')
  t.is(other({ nonce: new Uint8Array(32) }), 'activation-proof')
  t.is(other({ enrollmentId: 'another' }), 'activation-proof')
  t.is(other({ audience: 'https://another.example' }), 'activation-proof')
  t.is(other({ pcrs: [0] }), 'quote-selection')
})

test('a key without certificate is verified as far as that goes: nobody vouches for it here', t => {
  const { endorsementKey } = keys
  const evidence = received()
  const declared = {
    ...evidence,
    endorsementKey: { ...endorsementKey, certificate: null, chain: [] },
  }
  t.is(refusal(declared, { anchors: [] }), 'accepted')
  const verified = tpm2Format.verify(declared, expected)
  t.is(verified.endorsementKey.assurance, 'tpm-declared')
  t.is(verified.endorsementKey.anchorFingerprint, undefined)
})
