import * as der from '../der/writer.ts'

/** Algorithms that issuing authorities sign with, each with its AlgorithmIdentifier (RFC 5758 §3.2). */
export const signatureAlgorithms = {
  ES256: { identifier: der.sequence(der.objectIdentifier('1.2.840.10045.4.3.2')) },
  ES384: { identifier: der.sequence(der.objectIdentifier('1.2.840.10045.4.3.3')) },
} as const

export type CertificateSignatureName = keyof typeof signatureAlgorithms

/** r ‖ s as the SEQUENCE of two INTEGERs that X.509 carries (RFC 3279 §2.2.3). */
export function encodeEcdsaSignature(signature: Uint8Array): Uint8Array {
  const half = signature.length / 2
  return der.sequence(
    der.unsignedInteger(signature.subarray(0, half)),
    der.unsignedInteger(signature.subarray(half)),
  )
}
