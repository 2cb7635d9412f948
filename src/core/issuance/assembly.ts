import * as der from '../der/writer.ts'
import { keyUsages } from '../x509/certificate.ts'
import { encodeExtensions, type ExtensionSource } from './extension.ts'
import { extensionIds, type ProfileExtension } from './extension-name.ts'
import { keyPurposeId } from './key-purpose.ts'
import type { AuthorityTerms, CertificateTerms } from './lint.ts'
import { lintCertificate } from './lint-table.ts'
import {
  encodeEcdsaSignature,
  signatureAlgorithms,
  type CertificateSignatureName,
} from './signature-algorithm.ts'

/** Signs lint copies, by algorithm: keys that live as long as the process and that nobody trusts. */
export type ThrowawaySigners = Readonly<
  Record<CertificateSignatureName, (message: Uint8Array) => Uint8Array>
>

/** All that a certificate is made of, but its signature. */
export interface CertificateParts extends ExtensionSource {
  readonly signatureAlgorithm: CertificateSignatureName
  readonly issuer: CertificateTerms['issuer']
  /** Contents of the INTEGER, and the random octets that it was made of. */
  readonly serial: Uint8Array
  readonly serialRandom: Uint8Array | undefined
  /** DER Name. */
  readonly subject: Uint8Array
  /** Unix milliseconds, whole seconds, both inclusive. */
  readonly notBefore: number
  readonly notAfter: number
  readonly maxLifetimeSeconds: number
  readonly extensions: readonly ProfileExtension[]
  readonly authority?: AuthorityTerms | undefined
  /** The SPIFFE ID, where X509-SVID holds. */
  readonly svid: string | undefined
  /** When the Attestation Result of `attestation` ends. */
  readonly attestedUntil?: number | undefined
}

/**
 * Assembles a TBSCertificate, signs a copy of it with a throwaway key, and holds that copy against every lint. What it
 * gives may be signed.
 *
 * @throws LintError with the code of the rule that the certificate breaks; nothing was signed that anybody trusts
 * @see RFC 5280 §4.1
 */
export function assembleCertificate(
  parts: CertificateParts,
  throwaway: ThrowawaySigners,
): Uint8Array {
  const tbs = encodeTbs(parts)
  const { signatureAlgorithm } = parts
  const signature = throwaway[signatureAlgorithm](tbs)
  lintCertificate(encodeSigned(tbs, signatureAlgorithm, signature), termsOf(parts))
  return tbs
}

function encodeTbs(parts: CertificateParts): Uint8Array {
  return der.sequence(
    der.contextConstructed(0, der.smallInteger(2)),
    der.unsignedInteger(parts.serial),
    signatureAlgorithms[parts.signatureAlgorithm].identifier,
    parts.issuer.name,
    der.sequence(der.certificateTime(parts.notBefore), der.certificateTime(parts.notAfter)),
    parts.subject,
    parts.spki,
    der.contextConstructed(3, der.sequence(...encodeExtensions(parts.extensions, parts))),
  )
}

function termsOf(parts: CertificateParts): CertificateTerms {
  const { attestation, attestedUntil } = parts
  return {
    signatureAlgorithm: signatureAlgorithms[parts.signatureAlgorithm].identifier,
    issuer: parts.issuer,
    spki: parts.spki,
    subjectKeyIdentifier: parts.subjectKeyIdentifier,
    serialRandom: parts.serialRandom,
    extensions: parts.extensions.map(({ name, critical }) => ({
      id: extensionIds[name],
      isCritical: critical,
    })),
    keyUsage: parts.keyUsage.reduce((bits, name) => bits | keyUsages[name], 0),
    extendedKeyUsage: parts.extendedKeyUsage.map(keyPurposeId),
    authority: parts.authority,
    maxLifetimeSeconds: parts.maxLifetimeSeconds,
    svid: parts.svid,
    attestation:
      attestation === undefined || attestedUntil === undefined
        ? undefined
        : { ...attestation, expiresAt: attestedUntil },
  }
}

/**
 * A signed document: what is signed, the algorithm, the signature; an OCSP answer has certificates after it. RFC 5280
 * §4.1.1, §5.1.1; RFC 6960 §4.2.1.
 */
export function encodeSigned(
  signed: Uint8Array,
  algorithm: CertificateSignatureName,
  signature: Uint8Array,
  ...after: readonly Uint8Array[]
): Uint8Array {
  return der.sequence(
    signed,
    signatureAlgorithms[algorithm].identifier,
    der.bitString(encodeEcdsaSignature(signature)),
    ...after,
  )
}

/** A Name of one commonName. */
export function commonName(text: string): Uint8Array {
  return der.sequence(
    der.setOf(der.sequence(der.objectIdentifier('2.5.4.3'), der.utf8String(text))),
  )
}

/** Positive, never beginning with a zero byte. Throws TypeError for fewer than 16 random octets. RFC 5280 §4.1.2.2. */
export function serialNumber(random: Uint8Array): Uint8Array {
  if (random.length < 16) throw new TypeError('a serial number takes 16 random bytes')
  const serial = Buffer.from(random)
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0)
  return new Uint8Array(serial)
}

/** The second in which a time lies, as milliseconds. */
export function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000
}
