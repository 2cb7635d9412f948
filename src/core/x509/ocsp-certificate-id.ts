import { createHash } from 'node:crypto'
import { DerError } from '../der/error.ts'
import type { DerReader } from '../der/reader.ts'
import { TAG } from '../der/tag.ts'
import { readInteger, readObjectIdentifier } from '../der/value.ts'

/** How requests and answers name a certificate: by its issuer's name and key, and its serial number. */
export interface OcspCertificateId {
  readonly hash: 'sha1' | 'sha256'
  readonly issuerNameHash: Uint8Array
  readonly issuerKeyHash: Uint8Array
  /** Two's complement octets. */
  readonly serialNumber: Uint8Array
}

/** Digests that name issuers; a name by SHA-1 proves nothing and need not. RFC 5019 §2.1.1. */
const nameHashes: Readonly<Record<string, 'sha1' | 'sha256'>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
}

/**
 *     CertID ::= SEQUENCE {
 *       hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING,
 *       serialNumber INTEGER }
 *
 * Reads the members inside the SEQUENCE. Throws DerError.
 *
 * @see RFC 6960 §4.1.1
 */
export function readCertificateId(reader: DerReader): OcspCertificateId {
  const oid = reader.within(TAG.sequence, identifier => {
    const algorithm = readObjectIdentifier(identifier)
    if (!identifier.isAtEnd) identifier.contents(TAG.null)
    return algorithm
  })
  const hash = nameHashes[oid]
  if (hash === undefined) throw new DerError('der-value', { expected: 'SHA-1 or SHA-256' })
  return {
    hash,
    issuerNameHash: reader.contents(TAG.octetString),
    issuerKeyHash: reader.contents(TAG.octetString),
    serialNumber: readInteger(reader),
  }
}

/**
 * Whether a certificate is named as one of this issuer.
 *
 * @param issuer DER Name, and the contents of the BIT STRING of its key
 */
export function isIssuerNamed(
  id: OcspCertificateId,
  issuer: { readonly name: Uint8Array; readonly keyBits: Uint8Array },
): boolean {
  const digest = (bytes: Uint8Array): Buffer => createHash(id.hash).update(bytes).digest()
  return (
    digest(issuer.name).equals(id.issuerNameHash) && digest(issuer.keyBits).equals(id.issuerKeyHash)
  )
}
