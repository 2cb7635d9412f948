import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import type { Tpm, TpmHandle } from '../../native/index.ts'
import { createAttestationKey } from '../../src/attester/attestation-key.ts'
import { parseEnrollmentChallenge, parseKeyChallenge } from '../../src/attester/challenge.ts'
import type { ClientKey } from '../../src/attester/client-key.ts'
import { createCertificationRequest } from '../../src/attester/csr.ts'
import { openEndorsement, type Endorsement } from '../../src/attester/endorsement.ts'
import { collectEvidence, evidenceBody } from '../../src/attester/evidence.ts'
import { createQuote } from '../../src/attester/quote.ts'
import type { ServiceClient } from '../../src/attester/service-client.ts'
import { withSlots } from '../../src/attester/slots.ts'
import { createStorageRoot } from '../../src/attester/storage-parent.ts'
import { createSubjectKey, subjectKeyBody } from '../../src/attester/subject-key.ts'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { CodedError } from '../../src/core/coded-error.ts'
import { exportJwk, thumbprint } from '../../src/core/jose/jwk.ts'
import { subjectKeyTemplate } from '../../src/core/tpm/templates.ts'
import {
  activationProof,
  certifyBinding,
  quoteBinding,
  type CertifyContext,
} from '../../src/core/verifier/transcript.ts'
import type { Refusal } from './stage.ts'

/** What a refusal of the service was; undefined when it let the attempt pass. */
export async function refusalOf(attempt: () => Promise<unknown>): Promise<Refusal | undefined> {
  try {
    await attempt()
    return undefined
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return { code: error.code, line: error.message }
  }
}

/** A key that lies in memory, as a thief would make one. */
export function createSoftwareKey(): ClientKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = exportJwk(publicKey)
  return {
    jwk,
    jkt: thumbprint(jwk),
    algorithm: 'ES256',
    protection: 'file',
    sign: async message => await Promise.resolve(signP1363(privateKey, message)),
    close: async () => await Promise.resolve(),
  }
}

function signP1363(key: KeyObject, message: Uint8Array): Uint8Array {
  return sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' })
}

/** Proves a key of the TPM, and asks for a certificate for one of software instead. */
export async function requestForeignKey(
  client: ServiceClient,
  tpm: Tpm,
  className: string,
): Promise<void> {
  const created = (await client.call('POST', '/v1/agents', { class: className })) as {
    agent: { id: string }
    challenge: { id: string }
  }
  const { nonce, audience } = parseKeyChallenge(created.challenge, client.issuer)
  const csr = await createCertificationRequest(createSoftwareKey())
  const audienceOfKey = { issuer: client.issuer, fingerprint: await client.fingerprint() }
  const certified = await withSlots(tpm, async () => {
    const attestationKey = (await createAttestationKey(tpm, audienceOfKey)).handle
    return await tpm.withHandle(attestationKey, async signer => {
      const context = { purpose: 'agent', audience, contextId: created.agent.id, nonce } as const
      return await certifyFor(tpm, signer, { ...context, csr })
    })
  })
  await client.call('POST', `/v1/agents/${created.agent.id}/credentials`, {
    csr: encodeBase64url(csr),
    evidence: { challenge: created.challenge.id, subjectKey: subjectKeyBody(certified) },
  })
}

/** A key of the TPM, certified for a request that is not its own. */
async function certifyFor(
  tpm: Tpm,
  signer: TpmHandle,
  context: Omit<CertifyContext, 'subjectName'>,
): Promise<Parameters<typeof subjectKeyBody>[0]> {
  const root = await createStorageRoot(tpm)
  return await tpm.withHandle(root.handle, async parent => {
    const created = await tpm.create({ parent, public: subjectKeyTemplate() })
    const loaded = tpm.load({ parent, public: created.public, private: created.private })
    return await tpm.withHandle(loaded, async object => {
      const qualifyingData = certifyBinding({ ...context, subjectName: object.name })
      const certify = await tpm.certify({ object, signer, qualifyingData })
      const hierarchy = 'owner' as const
      return { public: created.public, parent: { public: root.public, hierarchy }, certify }
    })
  })
}

/** An enrolment between its challenge and its answer. */
interface OpenEnrollment {
  readonly endorsement: Endorsement
  readonly attestationKey: Awaited<ReturnType<typeof createAttestationKey>>
  readonly answer: unknown
}

async function openEnrollment(
  client: ServiceClient,
  tpm: Tpm,
  name: string,
): Promise<OpenEnrollment> {
  const endorsement = await openEndorsement(tpm, {})
  const audience = { issuer: client.issuer, fingerprint: await client.fingerprint() }
  const attestationKey = await createAttestationKey(tpm, audience, {})
  const answer = await client.request('POST', '/v1/enrollments', {
    name,
    endorsementKey: {
      public: encodeBase64url(endorsement.public),
      certificate: encodeBase64url(endorsement.certificate),
      chain: endorsement.chain.map(encodeBase64url),
    },
    attestationKey: { public: encodeBase64url(attestationKey.public) },
  })
  return { endorsement, attestationKey, answer }
}

/** Answers one challenge twice with the very same evidence; the first answer is good. */
export async function replayAnswer(client: ServiceClient, tpm: Tpm, name: string): Promise<void> {
  const { id, body } = await withSlots(tpm, async () => {
    const { endorsement, attestationKey, answer } = await openEnrollment(client, tpm, name)
    const challenge = parseEnrollmentChallenge(answer, client.issuer)
    const keys = { endorsement, attestationKey: attestationKey.handle }
    const evidence = await collectEvidence(tpm, { ...keys, challenge })
    await tpm.flush(attestationKey.handle)
    return { id: challenge.id, body: evidenceBody(evidence) }
  })
  await client.request('POST', `/v1/enrollments/${id}/evidence`, body)
  await client.request('POST', `/v1/enrollments/${id}/evidence`, body)
}

/** Has one TPM challenged and another answer: all it can send is right but for the secret. */
export async function answerWithOtherTpm(
  client: ServiceClient,
  challenged: Tpm,
  other: Tpm,
  name: string,
): Promise<void> {
  const { endorsement, attestationKey, answer } = await withSlots(challenged, async () => {
    const opened = await openEnrollment(client, challenged, name)
    await challenged.flush(opened.endorsement.handle)
    await challenged.flush(opened.attestationKey.handle)
    return opened
  })
  const { id, nonce, audience, pcrs } = parseEnrollmentChallenge(answer, client.issuer)
  const transcript = {
    audience,
    enrollmentId: id,
    nonce,
    endorsementName: endorsement.handle.name,
    attestationName: attestationKey.handle.name,
  }
  const evidence = await withSlots(other, async () => {
    const service = { issuer: client.issuer, fingerprint: await client.fingerprint() }
    const { handle } = await createAttestationKey(other, service, {})
    return await other.withHandle(handle, async signer => {
      const context = { purpose: 'host', audience, contextId: id, nonce } as const
      const key = await createSubjectKey(other, { attestationKey: signer, context })
      const qualifyingData = quoteBinding(transcript)
      const quote = await createQuote(other, { signer, pcrs, qualifyingData })
      const signed = { quote: quote.attest, certify: key.certify.attest, csr: key.csr }
      return { activation: activationProof(randomBytes(32), transcript, signed), quote, key }
    })
  })
  await client.request('POST', `/v1/enrollments/${id}/evidence`, evidenceBody(evidence))
}
