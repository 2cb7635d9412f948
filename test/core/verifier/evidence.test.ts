import { randomBytes } from 'node:crypto'
import test from 'ava'
import type { ClockInfo, TpmsAttest } from '../../../src/core/tpm/attest.ts'
import {
  Evidence,
  parseEvidence,
  VerifiedEvidence,
  verifyEvidence,
} from '../../../src/core/verifier/evidence.ts'
import { EvidenceError } from '../../../src/core/verifier/error.ts'
import { activateCredential } from '../../../swtpm/emulated/activate-credential.ts'
import { createTestTpm } from '../../support/emulated-tpm.ts'
import { answer, audience, beginEnrollment, now, refusalOf, verify } from './fixtures.ts'

const enrollment = beginEnrollment()
const refusal = (...edit: Parameters<typeof answer>): string => {
  const input = answer(...edit)
  return refusalOf(() => verify(enrollment, input))
}

test('an honest answer is verified, and says what is known of the host from then on', t => {
  const verified = verify(enrollment, answer(enrollment))
  t.is(verified.endorsementKey, enrollment.endorsementKey)
  t.is(verified.attestationKey, enrollment.attestationKey)
  t.deepEqual([...verified.pcrs.keys()], [0, 1, 2, 3, 4, 5, 6, 7])
  t.is(verified.facts.clockInfo.resetCount, 7)
  t.is(verified.subjectKey.jwk.crv, 'P-256')
  t.regex(verified.sha256, /^[0-9a-f]{64}$/)
  t.true(verified.checks.every(({ outcome }) => outcome === 'pass'))
})

test('the verdict holds the checks of both keys, then those of the answer', t => {
  const codes = verify(enrollment, answer(enrollment)).checks.map(({ code }) => code)
  const { endorsementKey, attestationKey } = enrollment
  const before = [...endorsementKey.checks, ...attestationKey.checks].map(({ code }) => code)
  t.deepEqual(codes.slice(0, before.length), before)
  const [first, ...rest] = codes.slice(before.length)
  t.is(first, 'activation-proof')
  t.is(rest.at(0), 'quote-malformed')
  t.is(rest.at(-1), 'quote-clock')
  t.is(new Set(codes).size, codes.length)
})

test('a refusal inside a part shows the checks that were made before it', t => {
  const input = answer(enrollment, { certify: { attest: attest => ({ ...attest, magic: 0 }) } })
  const error = t.throws(() => verify(enrollment, input), { instanceOf: EvidenceError })
  t.is(error.code, 'certify-magic')
  const outcomes = error.checks.map(({ code, outcome }) => `${code} ${outcome}`)
  t.is(outcomes.at(-1), 'certify-magic fail')
  t.true(outcomes.includes('ek-template pass'))
  t.true(outcomes.includes('quote-pcr-digest pass'))
  t.is(outcomes.filter(line => line.endsWith('fail')).length, 1)
})

test('nobody else makes evidence or verified evidence', t => {
  const forged = Symbol('evidence') as never
  t.throws(() => new Evidence(forged, answer(enrollment)), { instanceOf: TypeError })
  t.throws(() => new VerifiedEvidence(forged, {} as never), { instanceOf: TypeError })
})

test('C3 a proof by another secret is refused: echoing, guessing and the other session get nowhere', t => {
  const other = beginEnrollment()
  for (const secret of [randomBytes(32), new Uint8Array(32), new Uint8Array(), other.secret])
    t.is(refusal(enrollment, { secret }), 'activation-proof')
  const input = answer(enrollment)
  for (const activation of [new Uint8Array(), new Uint8Array(32), enrollment.secret])
    t.is(
      refusalOf(() => verify(enrollment, { ...input, activation })),
      'activation-proof',
    )
})

test('C3 an answer to another challenge is refused, of the same TPM even', t => {
  const { tpm, manufacturer, anchor, keys } = enrollment
  const again = beginEnrollment({ manufacturer })
  t.is(
    refusalOf(() => verify(enrollment, answer(again))),
    'activation-proof',
  )
  const same = { ...enrollment, tpm, anchor, keys, secret: randomBytes(32) }
  t.is(
    refusalOf(() => verify(same, answer(enrollment))),
    'activation-proof',
  )
})

test('C4 a part exchanged for one of another answer is refused', t => {
  const [first, second] = [answer(enrollment), answer(enrollment)]
  const { subjectKey, csr, quote } = second
  const mixed = [
    { ...first, quote },
    { ...first, subjectKey },
    { ...first, csr },
    { ...first, subjectKey: { ...first.subjectKey, certify: subjectKey.certify } },
  ]
  for (const input of mixed)
    t.is(
      refusalOf(() => verify(enrollment, input)),
      'activation-proof',
    )
})

test('C1 C2 only the TPM with both keys gets the secret', t => {
  const { challenge, secret, tpm, manufacturer } = enrollment
  const { endorsementKey, attestationKey } = tpm
  const recovered = activateCredential(endorsementKey, attestationKey.name, challenge)
  t.deepEqual(Buffer.from(recovered), secret)
  const other = createTestTpm(now, { manufacturer }).tpm
  t.throws(() => activateCredential(other.endorsementKey, attestationKey.name, challenge))
  t.throws(() => activateCredential(endorsementKey, other.attestationKey.name, challenge))
})

test('Q2 F2 evidence made for another nonce is refused, though the proof holds', t => {
  t.is(refusal(enrollment, { nonce: randomBytes(32) }), 'quote-nonce')
})

test('evidence for another service or enrolment is refused', t => {
  const { endorsementKey, attestationKey, secret, challenge } = enrollment
  const expected = {
    endorsementKey,
    attestationKey,
    secret,
    audience,
    enrollmentId: challenge.id,
    nonce: challenge.nonce,
    pcrSelection: challenge.pcrSelection,
  }
  const evidence = parseEvidence(answer(enrollment))
  t.is(
    refusalOf(() => verifyEvidence(evidence, expected)),
    'accepted',
  )
  for (const change of [
    { audience: 'https://other.example' },
    { enrollmentId: 'another' },
    { nonce: randomBytes(32) },
  ])
    t.is(
      refusalOf(() => verifyEvidence(evidence, { ...expected, ...change })),
      'activation-proof',
    )
})

test('Q12 quote and certification of two runs of the TPM are refused', t => {
  const run = (change: Partial<ClockInfo>) => (attest: TpmsAttest) => ({
    ...attest,
    clockInfo: { ...attest.clockInfo, ...change },
  })
  for (const change of [{ resetCount: 8 }, { restartCount: 1 }]) {
    t.is(refusal(enrollment, { quote: { attest: run(change) } }), 'quote-clock')
    t.is(refusal(enrollment, { certify: { attest: run(change) } }), 'quote-clock')
  }
  const updated = (attest: TpmsAttest): TpmsAttest => ({ ...attest, firmwareVersion: 1n })
  t.is(refusal(enrollment, { quote: { attest: updated } }), 'quote-clock')
  const restarted = { attest: run({ resetCount: 8, restartCount: 1 }) }
  t.is(refusal(enrollment, { quote: restarted, certify: restarted }), 'accepted')
})

test('Q3 a quote of fewer PCRs than were asked for is refused', t => {
  t.is(refusal(enrollment, { quotedPcrs: [0, 7] }), 'quote-selection')
})

test('F5 a request for a key of software is refused', t => {
  const requestKey = enrollment.tpm.createSubjectKey()
  t.is(refusal(enrollment, { requestKey }), 'csr-key-differs')
})

test('what is verified is what was given: changes after it was taken have no effect', t => {
  const input = answer(enrollment)
  const evidence = parseEvidence(input)
  input.csr.fill(0)
  input.quote.attest.fill(0)
  const { secret, challenge } = enrollment
  const expected = { ...enrollment, ...challenge, secret, audience, enrollmentId: challenge.id }
  t.is(
    refusalOf(() => verifyEvidence(evidence, expected)),
    'accepted',
  )
})

test('the digest of evidence is that of its bytes and of both keys, whoever computes it again', t => {
  const input = answer(enrollment)
  t.is(verify(enrollment, input).sha256, verify(enrollment, input).sha256)
  t.not(verify(enrollment, input).sha256, verify(enrollment, answer(enrollment)).sha256)
})
