import { X509Certificate } from 'node:crypto'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import { encodeCertificateId } from '../core/issuance/certificate-id.ts'
import { importJwk } from '../core/jose/jwk.ts'
import type { KeyPurpose } from '../core/verifier/transcript.ts'
import { parseCertificate } from '../core/x509/certificate.ts'
import { Answer } from './answer.ts'
import { readCertificateChain, type CertificateChain } from './certificate-chain.ts'
import { parseKeyChallenge } from './challenge.ts'
import type { ClientKey } from './client-key.ts'
import { withEnrolledKey, type EnrolledTpm } from './enrolled-attestation-key.ts'
import type { AgentIdentity, Home, HostIdentity } from './home.ts'
import { parsePemChain } from './pem-chain.ts'
import { PrivateFileError } from './private-file.ts'
import type { ServiceClient } from './service-client.ts'
import { certifySubjectKey, subjectKeyBody } from './subject-key.ts'
import { parseTss2Key } from './tss2-key.ts'

/** A certificate that the service gave, kept in the home. */
export interface Credential {
  readonly serial: string
  /** Unix milliseconds. */
  readonly notAfter: number
  readonly certificateChain: CertificateChain
}

/** Whose certificate is renewed. */
export type RenewalSubject =
  | ({ readonly kind: 'host' } & Pick<HostIdentity, 'id' | 'keyFile' | 'certificateFile'>)
  | ({ readonly kind: 'agent' } & Pick<AgentIdentity, 'id' | 'keyFile' | 'certificateFile'>)

/** What the proof of a renewal is bound to. */
export interface RenewalContext {
  readonly purpose: Extract<KeyPurpose, 'renewal'>
  readonly audience: string
  readonly contextId: string
  readonly nonce: Uint8Array
}

/** Has the hardware prove that it still holds the key of the subject: a request, and evidence as the service takes it. */
export type RenewalProver = (
  context: RenewalContext,
) => Promise<{ readonly csr: string; readonly evidence: object }>

/** Who renews, for whom, and by what. */
export interface CredentialRenewal {
  /** Of the one whose certificate it is, as `key`. */
  readonly client: ServiceClient
  readonly key: ClientKey
  readonly home: Home
  readonly subject: RenewalSubject
  readonly prove: RenewalProver
}

/**
 * Renews the certificate of a host or agent for the key that it has: its hardware shows that it still holds it. A
 * renewal whose answer was lost is repeated, and has the same answer.
 *
 * @throws AttesterError `answer-malformed`, `challenge-foreign`; ClientError, RemoteError, and what `prove` throws
 * @see RFC 9334 §8.1; RFC 9773 §5
 */
export async function renewCredential(request: CredentialRenewal): Promise<Credential> {
  const { client, key, home, subject, prove } = request
  const path = `/v1/${subject.kind}s/${subject.id}`
  const asked = await client.call('POST', `${path}/renewal-challenge`)
  const { id: challenge, nonce, audience } = parseKeyChallenge(asked, client.issuer)
  const context = { purpose: 'renewal', audience, contextId: subject.id, nonce } as const
  const { csr, evidence } = await prove(context)
  const replaces = await findReplaced(request)
  const named = replaces === undefined ? {} : { replaces }
  const renewal = { challenge, ...evidence, ...named }
  const answer = new Answer(
    await client.call('POST', `${path}/credentials`, { csr, renewal }),
    'credential',
  )
  const certificateChain = readCertificateChain(answer, importJwk(key.jwk))
  await home.writeText(subject.certificateFile, certificateChain.join(''))
  return { serial: answer.text('serial'), notAfter: answer.number('notAfter'), certificateChain }
}

/** The certificate that is kept, where it is one for this key. */
async function findReplaced({
  home,
  key,
  subject: { certificateFile },
}: CredentialRenewal): Promise<string | undefined> {
  const [own] = await findChain(home, certificateFile)
  return own?.publicKey.equals(importJwk(key.jwk)) === true ? certificateIdOf(own) : undefined
}

async function findChain(home: Home, file: string): Promise<X509Certificate[]> {
  try {
    return parsePemChain(home.path(file), await home.readText(file))
  } catch (cause) {
    if (cause instanceof PrivateFileError && cause.code === 'private-file-missing') return []
    throw cause
  }
}

/** How a service is asked about a certificate (RFC 9773 §4.1). */
export function certificateIdOf(certificate: X509Certificate): string | undefined {
  const { serialNumber: serial, extensions } = parseCertificate(certificate.raw).fields
  const keyIdentifier = extensions.authorityKeyIdentifier?.keyIdentifier
  return keyIdentifier && encodeCertificateId({ keyIdentifier, serial })
}

/** Proves a key of a TPM: its attestation key certifies it anew, for this renewal. */
export function createTpmProver(enrolled: EnrolledTpm, keyFile: string): RenewalProver {
  return async context => {
    const key = parseTss2Key(await enrolled.home.readText(keyFile))
    const { ownerAuth, tpm } = enrolled
    const certified = await withEnrolledKey(enrolled, async attestationKey =>
      certifySubjectKey(tpm, { attestationKey, context, ownerAuth }, key),
    )
    const subjectKey = subjectKeyBody(certified)
    return { csr: encodeBase64url(certified.csr), evidence: { subjectKey } }
  }
}
