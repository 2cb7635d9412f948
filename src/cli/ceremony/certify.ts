import { X509Certificate, createPublicKey } from 'node:crypto'
import { CeremonyError } from '../../core/ceremony/error.ts'
import {
  issueAuthority,
  prepareAuthority,
  type AuthorityRequest,
} from '../../core/issuance/authority-certificate.ts'
import type { CertificateSigner } from '../../core/issuance/credential.ts'
import { parseCertificate } from '../../core/x509/certificate.ts'
import type { CeremonyContext } from './context.ts'
import { sha256Of, timeOf, type CeremonyFacts } from './outcome.ts'

/** A request but for what is the same in every ceremony. */
export type Certifying = Omit<AuthorityRequest, 'serial'>

/** Who signs: the certificate's key, and a way to reach the private one when it is time. */
export interface Issuer {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly sign: <T>(work: (signer: CertificateSigner) => Promise<T>) => Promise<T>
}

/** The certificate of an authority, DER, and what people compare of it; in a rehearsal there is no certificate. */
export interface Certified {
  readonly certificate: Uint8Array | undefined
  readonly facts: CeremonyFacts
}

/**
 * Prepares the certificate of an authority, which lints it, and signs it unless this is a rehearsal.
 *
 * @throws LintError; CeremonyError `ceremony-time`, `ceremony-differs`; of the signer, its own
 */
export async function certify(
  request: Certifying,
  issuer: Issuer,
  { issuance, random, now, isCheck }: CeremonyContext,
): Promise<Certified> {
  if (request.notAfter <= now)
    throw new CeremonyError('ceremony-time', { found: timeOf(request.notAfter) })
  const prepared = prepareAuthority({ ...request, serial: random(16) }, issuance.throwaway)
  if (isCheck) return { certificate: undefined, facts: factsOf(request) }
  const certificate = await issuer.sign(async signer => await issueAuthority(prepared, signer))
  requireSigned(certificate, issuer.spki)
  const { serialNumber } = parseCertificate(certificate).fields
  return {
    certificate,
    facts: {
      ...factsOf(request),
      serial: Buffer.from(serialNumber).toString('hex'),
      certificateSha256: sha256Of(certificate),
    },
  }
}

function factsOf({ profile, spki, notBefore, notAfter, ...request }: Certifying): CeremonyFacts {
  return {
    profile: profile.name,
    trustDomain: request.trustDomain,
    pathLength: request.pathLength,
    notBefore: timeOf(notBefore),
    notAfter: timeOf(notAfter),
    keySha256: sha256Of(spki),
  }
}

/** Nothing leaves the room that its issuer's key did not sign. */
function requireSigned(certificate: Uint8Array, spki: Uint8Array): void {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  if (!new X509Certificate(certificate).verify(key))
    throw new CeremonyError('ceremony-differs', { expected: 'the signature of the issuer’s key' })
}
