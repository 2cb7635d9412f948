import { createHash, sign, type KeyObject } from 'node:crypto'
import * as der from '../../src/core/der/writer.ts'

/** One extension as it will stand there, well or badly. */
export interface BuiltExtension {
  readonly id: string
  readonly critical?: boolean
  readonly value: Uint8Array
}

/** Each member of a certificate as DER, so that any of them can be wrong. */
export interface BuiltCertificate {
  readonly version: Uint8Array
  readonly serial: Uint8Array
  readonly innerAlgorithm: Uint8Array
  readonly outerAlgorithm: Uint8Array
  readonly issuer: Uint8Array
  readonly notBefore: Uint8Array
  readonly notAfter: Uint8Array
  readonly subject: Uint8Array
  readonly spki: Uint8Array
  readonly extensions: readonly BuiltExtension[]
}

/** ecdsa-with-SHA256. */
export const ecdsaSha256: Uint8Array = der.sequence(der.objectIdentifier('1.2.840.10045.4.3.2'))

/** Puts a certificate together without asking whether it is a good one, and signs it with SHA-256. */
export function buildCertificate(parts: BuiltCertificate, key: KeyObject): Uint8Array {
  const tbs = der.sequence(
    parts.version,
    parts.serial,
    parts.innerAlgorithm,
    parts.issuer,
    der.sequence(parts.notBefore, parts.notAfter),
    parts.subject,
    parts.spki,
    ...encodeExtensions(parts.extensions),
  )
  return der.sequence(tbs, parts.outerAlgorithm, der.bitString(sign('sha256', tbs, key)))
}

/** Nothing at all where there are none. */
function encodeExtensions(extensions: readonly BuiltExtension[]): Uint8Array[] {
  if (extensions.length === 0) return []
  return [der.contextConstructed(3, der.sequence(...extensions.map(encodeExtension)))]
}

function encodeExtension({ id, critical = false, value }: BuiltExtension): Uint8Array {
  const octets = der.octetString(value)
  return der.sequence(der.objectIdentifier(id), ...(critical ? [der.booleanTrue] : []), octets)
}

/** RFC 7093 §2 method 4. */
export function keyIdentifier(spki: Uint8Array): Uint8Array {
  return createHash('sha256').update(spki).digest().subarray(0, 20)
}
