import { createHash } from 'node:crypto'
import type { VerifiedHsmKey } from '../formats/hsm/verified.ts'
import type { VerifiedSubjectKey } from '../verifier/subject-key.ts'
import {
  assembleCertificate,
  commonName,
  encodeSigned,
  serialNumber,
  wholeSeconds,
  type ThrowawaySigners,
} from './assembly.ts'
import type { AttestationReference } from './attestation-extension.ts'
import type { StatusUrls } from './extension.ts'
import { prepareIssuer } from './issuer.ts'
import type { CertificateProfile } from './profile.ts'
import type { CertificateSignatureName } from './signature-algorithm.ts'

/** A key that may stand in a certificate: one that its hardware proved for this very request. */
export type ProvenKey = VerifiedSubjectKey | VerifiedHsmKey

/** What a certificate is made of; all of it known before anything is signed. */
export interface CredentialRequest {
  readonly profile: CertificateProfile
  /** DER of the issuing certificate. */
  readonly issuer: Uint8Array
  readonly signatureAlgorithm: CertificateSignatureName
  readonly key: ProvenKey
  readonly spiffeId: string
  readonly commonName: string
  /** 16 random bytes (RFC 5280 §4.1.2.2; CA/B BR §7.1: 64 bits or more). */
  readonly serial: Uint8Array
  /** Unix milliseconds: now, and the moment at which the certificate is over. */
  readonly notBefore: number
  readonly notAfter: number
  /** The Attestation Result that it rests on; undefined for a profile without hardware behind it. */
  readonly attestation?: (AttestationReference & { readonly expiresAt: number }) | undefined
  /** Where its status is told, by its serial number; undefined for a profile that names no such place. */
  readonly statusOf?: ((serial: string) => StatusUrls) | undefined
}

const seal = Symbol('prepared credential')

/** A certificate to the last byte but its signature. Made by {@link prepareCredential} alone; issued once. */
export class PreparedCredential {
  /** Lower-case hex. */
  readonly serial: string
  readonly jkt: string
  /** Unix milliseconds, whole seconds: as the certificate says, so that its last second is still good. */
  readonly notBefore: number
  readonly notAfter: number
  readonly algorithm: CertificateSignatureName
  readonly #tbs: Uint8Array

  constructor(
    key: typeof seal,
    facts: Omit<PreparedCredential, 'tbs' | 'tbsSha256'>,
    tbs: Uint8Array,
  ) {
    if (key !== seal) throw new TypeError('made by prepareCredential alone')
    this.serial = facts.serial
    this.jkt = facts.jkt
    this.notBefore = facts.notBefore
    this.notAfter = facts.notAfter
    this.algorithm = facts.algorithm
    this.#tbs = tbs
  }

  /** DER TBSCertificate. */
  get tbs(): Uint8Array {
    return this.#tbs
  }

  /** Hex SHA-256 of the TBSCertificate: what the log says will be signed. */
  get tbsSha256(): string {
    return createHash('sha256').update(this.#tbs).digest('hex')
  }
}

/** A certificate as its holder gets it. */
export interface Credential {
  /** DER. */
  readonly certificate: Uint8Array
  /** base64url SHA-256 of it (RFC 8705 §3.1). */
  readonly x5t: string
}

/**
 * Assembles the TBSCertificate from the profile and the proven key, and lints a copy of it that a throwaway key signed.
 * A certificate is good through its last second (RFC 5280 §4.1.2.5), so it ends one second before the moment that was
 * asked for.
 *
 * @throws LintError with the code of the rule that it breaks; TypeError for a time span that is empty or lies past the
 *   issuer's: the caller computed it
 * @see RFC 5280 §4.1, X509-SVID §2 to §4
 */
export function prepareCredential(
  request: CredentialRequest,
  throwaway: ThrowawaySigners,
): PreparedCredential {
  const issuer = prepareIssuer(request.issuer)
  const { profile, key, spiffeId, attestation } = request
  const { notBefore, notAfter } = validityOf(request, issuer)
  const serial = serialNumber(request.serial)
  const tbs = assembleCertificate(
    {
      ...profile,
      signatureAlgorithm: request.signatureAlgorithm,
      issuer,
      issuerKeyIdentifier: issuer.keyIdentifier,
      serial,
      serialRandom: request.serial,
      subject: commonName(request.commonName),
      notBefore,
      notAfter,
      spki: key.spki,
      names: { uri: spiffeId },
      svid: profile.x509Svid ? spiffeId : undefined,
      attestation,
      attestedUntil: attestation?.expiresAt,
      status: request.statusOf?.(Buffer.from(serial).toString('hex')),
    },
    throwaway,
  )
  const facts = {
    serial: Buffer.from(serial).toString('hex'),
    jkt: key.jkt,
    notBefore,
    notAfter,
    algorithm: request.signatureAlgorithm,
  }
  return new PreparedCredential(seal, facts, tbs)
}

/** First and last second of a certificate that is to be good from now to `notAfter`, inside what profile and issuer allow. */
export function validityOf(
  request: Pick<CredentialRequest, 'profile' | 'notBefore' | 'notAfter'>,
  issuer: { readonly notBefore: number; readonly notAfter: number },
): { readonly notBefore: number; readonly notAfter: number } {
  const { backdateSeconds, maxLifetimeSeconds } = request.profile
  const begin = wholeSeconds(request.notBefore)
  const notBefore = Math.max(begin - backdateSeconds * 1000, issuer.notBefore)
  const end = Math.min(request.notAfter, notBefore + maxLifetimeSeconds * 1000)
  const notAfter = Math.min(wholeSeconds(end) - 1000, issuer.notAfter)
  if (notAfter < begin) throw new TypeError('a certificate lives for some time')
  return { notBefore, notAfter }
}

/** What {@link issueCredential} needs of a signer. */
export interface CertificateSigner {
  readonly algorithm: CertificateSignatureName
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** What was signed, or is being signed. */
const issued = new WeakSet<PreparedCredential>()

/**
 * Signs a prepared certificate. Only what `prepareCredential` made is taken, once, under the algorithm it was made
 * for.
 *
 * @throws TypeError for one that was issued before or is for another algorithm, and whatever the signer throws
 * @see RFC 5280 §4.1.1
 */
export async function issueCredential(
  prepared: PreparedCredential,
  signer: CertificateSigner,
): Promise<Credential> {
  if (signer.algorithm !== prepared.algorithm) throw new TypeError('prepared for another signer')
  if (issued.has(prepared)) throw new TypeError('a prepared credential is issued once')
  issued.add(prepared)
  const signature = await signer.sign(prepared.tbs)
  const certificate = encodeSigned(prepared.tbs, prepared.algorithm, signature)
  return { certificate, x5t: createHash('sha256').update(certificate).digest('base64url') }
}
