import { createHash } from 'node:crypto'
import * as der from '../der/writer.ts'
import type { VerifiedHsmKey } from '../formats/hsm/verified.ts'
import type { VerifiedSubjectKey } from '../verifier/subject-key.ts'
import { prepareIssuer } from './issuer.ts'
import { extension, fixedExtensions, type CertificateProfile } from './profile.ts'
import type { RenewalKey } from './renewal-key.ts'
import {
  encodeEcdsaSignature,
  signatureAlgorithms,
  type CertificateSignatureName,
} from './signature-algorithm.ts'

/** A key that may stand in a certificate: one that the TPM certified, or that it certified before. */
export type ProvenKey = VerifiedSubjectKey | VerifiedHsmKey | RenewalKey

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
  /** Unix milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
}

const seal = Symbol('prepared credential')

/** A certificate to the last byte but its signature. Made by {@link prepareCredential} alone; issued once. */
export class PreparedCredential {
  /** Lower-case hex. */
  readonly serial: string
  readonly jkt: string
  /** Unix milliseconds, whole seconds: as the certificate says. */
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

// A certificate that begins a little early survives a relying party whose clock is behind.
const backdateMs = 30_000

/**
 * Assembles the TBSCertificate from the profile and the proven key.
 *
 * @throws TypeError for a time span that is empty or outlasts the issuer: the caller computed it
 * @see RFC 5280 §4.1, X509-SVID §2 to §4
 */
export function prepareCredential(request: CredentialRequest): PreparedCredential {
  const issuer = prepareIssuer(request.issuer)
  const notBefore = wholeSeconds(request.notBefore - backdateMs)
  const notAfter = wholeSeconds(Math.min(request.notAfter, issuer.notAfter))
  if (notAfter <= request.notBefore) throw new TypeError('a certificate lives for some time')
  const serial = serialNumber(request.serial)
  const tbs = der.sequence(
    der.contextConstructed(0, der.smallInteger(2)),
    der.unsignedInteger(serial),
    signatureAlgorithms[request.signatureAlgorithm].identifier,
    issuer.name,
    der.sequence(der.certificateTime(notBefore), der.certificateTime(notAfter)),
    commonName(request.commonName),
    request.key.spki,
    der.contextConstructed(3, der.sequence(...extensions(request, issuer.authorityKeyIdentifier))),
  )
  const facts = {
    serial: Buffer.from(serial).toString('hex'),
    jkt: request.key.jkt,
    notBefore,
    notAfter,
  }
  return new PreparedCredential(seal, { ...facts, algorithm: request.signatureAlgorithm }, tbs)
}

/** Extensions that the profile fixes are encoded once per profile. */
const fixedByProfile = new WeakMap<CertificateProfile, Uint8Array>()

function extensions(request: CredentialRequest, authorityKeyIdentifier: Uint8Array): Uint8Array[] {
  let fixed = fixedByProfile.get(request.profile)
  if (fixed === undefined) {
    fixed = fixedExtensions(request.profile)
    fixedByProfile.set(request.profile, fixed)
  }
  return [
    fixed,
    subjectKeyIdentifier(request.key.spki),
    authorityKeyIdentifier,
    extension(
      '2.5.29.17',
      false,
      der.sequence(der.implicitPrimitive(6, Buffer.from(request.spiffeId, 'ascii'))),
    ),
  ]
}

/** RFC 7093 §2 method 4: a hash of the SubjectPublicKeyInfo, 160 bits of it. */
export function subjectKeyIdentifier(spki: Uint8Array): Uint8Array {
  const identifier = createHash('sha256').update(spki).digest().subarray(0, 20)
  return extension('2.5.29.14', false, der.octetString(identifier))
}

/** A Name of one commonName. */
export function commonName(text: string): Uint8Array {
  return der.sequence(
    der.setOf(der.sequence(der.objectIdentifier('2.5.4.3'), der.utf8String(text))),
  )
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000
}

/** Positive, never beginning with a zero byte. */
export function serialNumber(random: Uint8Array): Uint8Array {
  if (random.length < 16) throw new TypeError('a serial number takes 16 random bytes')
  const serial = Uint8Array.from(random)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  return serial
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
  const certificate = await signCertificate(prepared.tbs, prepared.algorithm, signer)
  return { certificate, x5t: createHash('sha256').update(certificate).digest('base64url') }
}

/** The certificate of a TBSCertificate: TBS, algorithm, signature. */
export async function signCertificate(
  tbs: Uint8Array,
  algorithm: CertificateSignatureName,
  signer: CertificateSigner,
): Promise<Uint8Array> {
  const signature = await signer.sign(tbs)
  return der.sequence(
    tbs,
    signatureAlgorithms[algorithm].identifier,
    der.bitString(encodeEcdsaSignature(signature)),
  )
}
