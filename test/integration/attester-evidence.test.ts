import { randomBytes, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import test from 'ava'
import { Tpm } from '../../native/index.ts'
import { createAttestationKey } from '../../src/attester/attestation-key.ts'
import { parseEnrollmentChallenge } from '../../src/attester/challenge.ts'
import { openEndorsement, type EndorsementOptions } from '../../src/attester/endorsement.ts'
import { AttesterError } from '../../src/attester/error.ts'
import {
  collectEvidence,
  evidenceBody,
  type CollectedEvidence,
} from '../../src/attester/evidence.ts'
import { withSlots } from '../../src/attester/slots.ts'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { verifyAttestationKey } from '../../src/core/verifier/attestation-key.ts'
import { createChallenge } from '../../src/core/verifier/challenge.ts'
import { verifyEndorsementKey } from '../../src/core/verifier/endorsement-key.ts'
import { EvidenceError } from '../../src/core/verifier/error.ts'
import {
  parseEvidence,
  verifyEvidence,
  type EvidenceExpectations,
  type VerifiedEvidence,
} from '../../src/core/verifier/evidence.ts'
import { parseTrustAnchor } from '../../src/core/verifier/trust-anchor.ts'
import { tpmEvidenceRequest } from '../../src/http/schema.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { startTestBench, type TestBench } from '../../swtpm/software-tpm.ts'
import { startProxy } from '../../swtpm/tpm-proxy.ts'
import { census, empty } from './native-fixtures.ts'

const bench = await startTestBench({ endorsementKeys: ['ecc-p256', 'rsa-3072'] })
const scratch = await createPrivateDirectory('evidence')
test.after.always(async () => {
  await bench.stop()
  discardDirectory(scratch)
})

const issuer = 'https://assay.example'
const fingerprint = `sha256:${'ab'.repeat(32)}`
const pcrs = [0, 1, 2, 3, 4, 5, 6, 7]

interface Enrolled {
  readonly evidence: CollectedEvidence
  readonly expected: EvidenceExpectations
}

/** Both sides of an enrolment without what lies between them. */
async function attest(
  tpm: Tpm,
  { manufacturer }: TestBench,
  options: EndorsementOptions = {},
): Promise<Enrolled> {
  return await withSlots(tpm, async () => {
    const endorsement = await openEndorsement(tpm, options)
    const created = await createAttestationKey(tpm, { issuer, fingerprint })
    try {
      const endorsementKey = verifyEndorsementKey({
        public: endorsement.public,
        certificate: endorsement.certificate,
        chain: endorsement.chain,
        anchors: [anchorOf(manufacturer.rootCertificate)],
        now: new Date(),
      })
      const attestationKey = verifyAttestationKey({ public: created.public })
      const secret = randomBytes(32)
      const nonce = randomBytes(32)
      const { credentialBlob, encryptedSecret } = createChallenge({
        endorsementKey,
        attestationKey,
        secret,
        random: randomBytes,
      })
      const answer = {
        id: 'enrolment-1',
        nonce: encodeBase64url(nonce),
        audience: issuer,
        credentialBlob: encodeBase64url(credentialBlob),
        encryptedSecret: encodeBase64url(encryptedSecret),
        pcrSelection: { sha256: pcrs },
      }
      const challenge = parseEnrollmentChallenge(answer, issuer)
      const evidence = await collectEvidence(tpm, {
        endorsement,
        attestationKey: created.handle,
        challenge,
      })
      const expected = {
        endorsementKey,
        attestationKey,
        audience: issuer,
        enrollmentId: 'enrolment-1',
        nonce,
        secret,
        pcrSelection: { sha256: pcrs },
      }
      return { evidence, expected }
    } finally {
      await tpm.flush(endorsement.handle)
      await tpm.flush(created.handle)
    }
  })
}

function anchorOf(pem: string): ReturnType<typeof parseTrustAnchor> {
  const labels = { name: 'throwaway', vendor: 'id:00001014', assurance: 'emulated' } as const
  return parseTrustAnchor(new X509Certificate(pem).raw, labels, new Date())
}

function verify(
  { evidence, expected }: Enrolled,
  change: Partial<EvidenceExpectations> = {},
): VerifiedEvidence {
  const values = [...evidence.quote.pcrs].map(([pcr, value]) => [
    pcr,
    Buffer.from(value).toString('hex'),
  ])
  const input = {
    activation: evidence.activation,
    quote: evidence.quote,
    pcrs: { sha256: Object.fromEntries(values) as Record<string, string> },
    subjectKey: evidence.key,
    csr: evidence.key.csr,
  }
  return verifyEvidence(parseEvidence(input), { ...expected, ...change })
}

for (const template of ['L-1', 'L-2', 'H-3', 'H-6'] as const) {
  test.serial(`collects evidence beside a ${template} key that the verifier accepts`, async t => {
    await using tpm = await Tpm.open(bench.tcti)
    const enrolled = await attest(tpm, bench, { template })
    const verified = verify(enrolled)
    t.true(verified.checks.every(({ outcome }) => outcome === 'pass'))
    t.is(verified.endorsementKey.template, template)
    t.deepEqual([...verified.pcrs.keys()], pcrs)
    t.is(verified.subjectKey.hierarchy, 'owner')
    t.deepEqual(await census(tpm), empty)
  })
}

test.serial('writes evidence in the form that the interface of the service takes', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const { evidence } = await attest(tpm, bench)
  const body: unknown = JSON.parse(JSON.stringify(evidenceBody(evidence)))
  t.true(tpmEvidenceRequest.safeParse(body).success)
})

test.serial('sends the event logs that there are, and knows none of a software TPM', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const { evidence } = await attest(tpm, bench)
  t.deepEqual(evidence.logs, { firmware: undefined, ima: undefined, notes: [] })
  t.false('eventLog' in evidenceBody(evidence))
  const logs = { firmware: Buffer.from('the log'), ima: Buffer.from('the list'), notes: [] }
  const body = tpmEvidenceRequest.parse(evidenceBody({ ...evidence, logs }))
  t.is(body.eventLog, encodeBase64url(logs.firmware))
  t.is(body.imaLog, encodeBase64url(logs.ima))
})

test.serial('collects evidence that is for one challenge and no other', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const enrolled = await attest(tpm, bench)
  t.notThrows(() => verify(enrolled))
  for (const change of [
    { nonce: randomBytes(32) },
    { secret: randomBytes(32) },
    { enrollmentId: 'enrolment-2' },
    { audience: 'https://other.example' },
  ]) {
    const error = t.throws(() => verify(enrolled, change), { instanceOf: EvidenceError })
    t.is(error.code, 'activation-proof')
  }
})

test.serial(
  'collects evidence while the TPM takes 70 ms for each answer, and the event loop turns',
  async t => {
    const proxy = await startProxy({
      target: bench.socketPath,
      path: join(scratch, 'slow'),
      latencyMilliseconds: 70,
    })
    const tpm = await Tpm.open(proxy.tcti)
    let turns = 0
    const ticking = setInterval(() => (turns += 1), 10)
    const began = performance.now()
    const enrolled = await attest(tpm, bench, { template: 'L-1' })
    const took = performance.now() - began
    clearInterval(ticking)
    t.notThrows(() => verify(enrolled))
    t.true(took > 1000)
    t.true(turns > took / 40)
    t.deepEqual(await census(tpm), empty)
    await tpm.close()
    await proxy.stop()
  },
)

test.serial('collects evidence after the TPM was reset in between two enrolments', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const before = verify(await attest(tpm, bench))
  await bench.reset('abrupt')
  const after = verify(await attest(tpm, bench))
  t.deepEqual(after.attestationKey.name, before.attestationKey.name)
  t.is(after.facts.clockInfo.resetCount, before.facts.clockInfo.resetCount + 1)
  t.deepEqual(await census(tpm), empty)
})

test.serial(
  'fails with a coded error and leaves nothing when the TPM is reset half way',
  async t => {
    await using tpm = await Tpm.open(bench.tcti)
    const endorsement = await openEndorsement(tpm)
    const created = await createAttestationKey(tpm, { issuer, fingerprint })
    await bench.reset()
    const challenge = {
      id: 'x',
      nonce: randomBytes(32),
      audience: issuer,
      credential: { credentialBlob: randomBytes(64), encryptedSecret: randomBytes(64) },
      pcrs,
    }
    const attempt = collectEvidence(tpm, { endorsement, attestationKey: created.handle, challenge })
    const error = await t.throwsAsync<Error & { code: string }>(attempt)
    t.regex(error.code, /^(tpm|challenge)-/)
    await tpm.flush(endorsement.handle)
    await tpm.flush(created.handle)
    t.deepEqual(await census(tpm), empty)
  },
)

test('takes no challenge of another service, and none that is not whole', t => {
  const whole = {
    id: 'enrolment-1',
    nonce: encodeBase64url(randomBytes(32)),
    audience: issuer,
    credentialBlob: 'AAAA',
    encryptedSecret: 'AAAA',
    pcrSelection: { sha256: [0] },
  }
  t.notThrows(() => parseEnrollmentChallenge(whole, issuer))
  const codeOf = (change: object): string => {
    const error = t.throws(() => parseEnrollmentChallenge({ ...whole, ...change }, issuer), {
      instanceOf: AttesterError,
    })
    return error.code
  }
  t.is(codeOf({ audience: 'https://other.example' }), 'challenge-foreign')
  for (const change of [
    { id: '../x' },
    { id: undefined },
    { nonce: encodeBase64url(randomBytes(15)) },
    { nonce: 'not base64url!' },
    { credentialBlob: '' },
    { encryptedSecret: 7 },
    { pcrSelection: undefined },
    { pcrSelection: { sha256: [24] } },
    { pcrSelection: { sha256: ['0'] } },
  ]) {
    t.is(codeOf(change), 'answer-malformed')
  }
  for (const value of [null, [], 'text', 3]) {
    const error = t.throws(() => parseEnrollmentChallenge(value, issuer), {
      instanceOf: AttesterError,
    })
    t.is(error.code, 'answer-malformed')
  }
})
