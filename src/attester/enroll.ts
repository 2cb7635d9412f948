import type { Tpm } from '../../native/index.ts'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import type { EndorsementTemplate } from '../core/tpm/templates.ts'
import { Answer } from './answer.ts'
import { createAttestationKey } from './attestation-key.ts'
import { readCertificateChain, type CertificateChain } from './certificate-chain.ts'
import { parseEnrollmentChallenge } from './challenge.ts'
import { endorsementDigest, openDeclaredEndorsement } from './declared-endorsement.ts'
import { openEndorsement, type Endorsement } from './endorsement.ts'
import { collectEvidence, evidenceBody, type CollectedEvidence } from './evidence.ts'
import { hostFiles, type Home, type HostIdentity } from './home.ts'
import { silent, type Progress } from './progress.ts'
import type { ServiceClient } from './service-client.ts'
import { parseSigningKey } from './signing-key.ts'
import { withSlots } from './slots.ts'

/** What an enrolment needs. */
export interface EnrollRequest {
  /** A client without a key: the evidence is the authentication. */
  readonly client: ServiceClient
  readonly tpm: Tpm
  /** What people call the host. */
  readonly name: string
  readonly home: Home
  readonly progress?: Progress | undefined
  /** The endorsement key to use; the best that has a certificate where absent. */
  readonly template?: EndorsementTemplate['name'] | undefined
  /** Whether to go without a certificate: an operator of the service approves the key by its digest. */
  readonly withoutCertificate?: boolean | undefined
  /** Hears of the digest of a key without certificate, which an operator compares: it is read at the machine. */
  readonly onDigest?: ((digest: string) => void) | undefined
  /** The authValues that the TPM's owner has set, if any. */
  readonly endorsementAuth?: Uint8Array | undefined
  readonly ownerAuth?: Uint8Array | undefined
}

/** A host that the service let in. */
export interface EnrolledHost extends HostIdentity {
  readonly certificateChain: CertificateChain
  /** The Attestation Result, as the service gave it. */
  readonly attestationResult: unknown
  /** The same, signed by the service: a JWS in compact form (draft-ietf-rats-ear). */
  readonly ear: string
  /** What was passed over in the TPM or left out, and why. */
  readonly notes: readonly string[]
}

/** Names of the files of what else is known of the host: its attestation key's Name, and the signed verdict. */
export const attestationFiles = {
  keyName: 'host.attestation-key',
  ear: 'host.ear.jwt',
} as const

/**
 * Enrols this machine: shows its endorsement certificate and an attestation key, answers the challenge, and keeps the
 * host's key file, certificate and verdict in the home. What the service refuses is a RemoteError with the checks.
 *
 * @throws AttesterError, Tpm2Error, ClientError, RemoteError, HomeError
 * @see RFC 9334 §7, §8.1
 */
export async function enrollHost(request: EnrollRequest): Promise<EnrolledHost> {
  const { client, home, progress = silent } = request
  const service = { issuer: client.issuer, root: await client.root() }
  // A home of another service is refused before anything is sent.
  if ((await home.findService()) !== undefined) await home.saveService(service)
  const answered = await withSlots(request.tpm, async () => await answerChallenge(request))
  progress('sending the evidence')
  const path = `/v1/enrollments/${answered.enrollmentId}/evidence`
  const answer = await client.request('POST', path, evidenceBody(answered.evidence))
  const host = readEnrolledHost(answer, request.name, answered)
  await home.saveService(service)
  await saveHost(home, host, answered)
  return host
}

interface AnsweredChallenge {
  readonly enrollmentId: string
  readonly evidence: CollectedEvidence
  readonly attestationName: Uint8Array
  readonly notes: readonly string[]
}

/** All that needs the TPM: between the two requests it holds both keys, of which the challenge is for. */
async function answerChallenge(request: EnrollRequest): Promise<AnsweredChallenge> {
  const { client, tpm, progress = silent, endorsementAuth, ownerAuth } = request
  const endorsement = await openKey(request)
  return await tpm.withHandle(endorsement.handle, async protection => {
    progress(`making the attestation key beside ${endorsement.template}`)
    const audience = { issuer: client.issuer, fingerprint: await client.fingerprint() }
    const created = await createAttestationKey(tpm, audience, { auth: endorsementAuth, protection })
    return await tpm.withHandle(created.handle, async attestationKey => {
      progress('asking for a challenge')
      const body = enrollmentBody(request.name, endorsement, created.public)
      const answer = await client.request('POST', '/v1/enrollments', body)
      const challenge = parseEnrollmentChallenge(answer, client.issuer)
      progress('answering the challenge')
      const keys = { endorsement, attestationKey, endorsementAuth, ownerAuth }
      const evidence = await collectEvidence(tpm, { ...keys, challenge })
      const notes = [...endorsement.notes, ...(evidence.logs?.notes ?? [])]
      return { enrollmentId: challenge.id, evidence, attestationName: created.name, notes }
    })
  })
}

async function openKey(request: EnrollRequest): Promise<Endorsement> {
  const { tpm, template, endorsementAuth, withoutCertificate, onDigest } = request
  const { progress = silent } = request
  progress('looking for the endorsement key')
  const options = { auth: endorsementAuth, template }
  if (withoutCertificate !== true) return await openEndorsement(tpm, options)
  const endorsement = await openDeclaredEndorsement(tpm, options)
  onDigest?.(endorsementDigest(endorsement))
  return endorsement
}

function enrollmentBody(
  name: string,
  endorsement: Endorsement,
  attestationKey: Uint8Array,
): object {
  const { certificate } = endorsement
  return {
    name,
    endorsementKey: {
      public: encodeBase64url(endorsement.public),
      ...(certificate === undefined ? {} : { certificate: encodeBase64url(certificate) }),
      chain: endorsement.chain.map(encodeBase64url),
    },
    attestationKey: { public: encodeBase64url(attestationKey) },
  }
}

function readEnrolledHost(value: unknown, name: string, answered: AnsweredChallenge): EnrolledHost {
  const answer = new Answer(value, 'enrolment')
  const host = answer.within('host')
  const { key } = parseSigningKey(answered.evidence.key.public)
  return {
    id: host.id('id'),
    spiffeId: host.text('spiffeId'),
    name,
    ...hostFiles,
    certificateChain: readCertificateChain(answer, key),
    attestationResult: answer.raw('attestationResult'),
    ear: answer.text('ear'),
    notes: answered.notes,
  }
}

/** The key first and who it is last: a home that names a host has all that belongs to it. */
async function saveHost(
  home: Home,
  host: EnrolledHost,
  answered: AnsweredChallenge,
): Promise<void> {
  const { id, spiffeId, name, keyFile, certificateFile } = host
  await home.writeText(keyFile, answered.evidence.key.pem)
  await home.writeText(certificateFile, host.certificateChain.join(''))
  const keyName = Buffer.from(answered.attestationName).toString('hex')
  await home.writeText(attestationFiles.keyName, `${keyName}\n`)
  await home.writeText(attestationFiles.ear, `${host.ear}\n`)
  await home.saveHost({ id, spiffeId, name, keyFile, certificateFile })
}
