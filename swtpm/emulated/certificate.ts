import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import * as der from '../../src/core/der/writer.ts'
import {
  encodeEcdsaSignature,
  signatureAlgorithms,
} from '../../src/core/issuance/signature-algorithm.ts'

/** One extension of a certificate to be made. */
export interface ExtensionPart {
  readonly oid: string
  readonly critical: boolean
  /** DER inside the OCTET STRING. */
  readonly value: Uint8Array
}

/** All that a certificate says, open to change before it is signed. */
export interface CertificateParts {
  readonly serial: Uint8Array
  /** DER Name. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  /** Unix milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly extensions: readonly ExtensionPart[]
}

/** Changes a certificate before it is signed. */
export type CertificateEdit = (parts: CertificateParts) => CertificateParts

/** A certificate authority in this process, on P-256. */
export interface EmulatedAuthority {
  /** DER. */
  readonly certificate: Uint8Array
  readonly name: Uint8Array
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const year = 365 * 86_400_000
const validity = { before: -year, after: 9 * year } as const

export const oids = {
  subjectDirectoryAttributes: '2.5.29.9',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const

/** A Name of one commonName, or the empty one. */
export function distinguishedName(commonName?: string): Uint8Array {
  if (commonName === undefined) return der.sequence()
  const attribute = der.sequence(der.objectIdentifier('2.5.4.3'), der.utf8String(commonName))
  return der.sequence(der.setOf(attribute))
}

/**
 * Makes a certificate authority: a root, or one below `parent`.
 *
 * @param now Unix milliseconds
 */
export function createAuthority(
  commonName: string,
  now: number,
  parent?: EmulatedAuthority,
  edit: CertificateEdit = parts => parts,
): EmulatedAuthority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = distinguishedName(commonName)
  const issuer = parent ?? { name, privateKey, publicKey }
  const extensions: ExtensionPart[] = [
    { oid: oids.basicConstraints, critical: true, value: der.sequence(der.booleanTrue) },
    { oid: oids.keyUsage, critical: true, value: der.namedBits(0x06) },
    { oid: oids.subjectKeyIdentifier, critical: false, value: der.octetString(keyId(publicKey)) },
  ]
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const parts = certificateParts(issuer, { subject: name, spki, extensions }, now)
  return {
    certificate: signCertificate(edit(parts), issuer.privateKey),
    name,
    privateKey,
    publicKey,
  }
}

/** A certificate's parts with serial, times and the issuer's key identifier filled in. */
export function certificateParts(
  issuer: Pick<EmulatedAuthority, 'name' | 'publicKey'>,
  subject: Pick<CertificateParts, 'subject' | 'spki' | 'extensions'>,
  now: number,
): CertificateParts {
  const identifier = der.sequence(der.implicitPrimitive(0, keyId(issuer.publicKey)))
  const authority = { oid: oids.authorityKeyIdentifier, critical: false, value: identifier }
  return {
    serial: randomBytes(16),
    issuer: issuer.name,
    notBefore: now + validity.before,
    notAfter: now + validity.after,
    ...subject,
    extensions: [...subject.extensions, authority],
  }
}

/** Signs with ECDSA and SHA-256. */
export function signCertificate(parts: CertificateParts, privateKey: KeyObject): Uint8Array {
  const { identifier } = signatureAlgorithms.ES256
  const tbs = der.sequence(
    der.contextConstructed(0, der.smallInteger(2)),
    der.unsignedInteger(parts.serial),
    identifier,
    parts.issuer,
    der.sequence(der.certificateTime(parts.notBefore), der.certificateTime(parts.notAfter)),
    parts.subject,
    parts.spki,
    der.contextConstructed(3, der.sequence(...parts.extensions.map(encodeExtension))),
  )
  const signature = sign('sha256', tbs, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return der.sequence(tbs, identifier, der.bitString(encodeEcdsaSignature(signature)))
}

function encodeExtension({ oid, critical, value }: ExtensionPart): Uint8Array {
  const [id, octets] = [der.objectIdentifier(oid), der.octetString(value)]
  return critical ? der.sequence(id, der.booleanTrue, octets) : der.sequence(id, octets)
}

function keyId(key: KeyObject): Uint8Array {
  return createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest()
    .subarray(0, 20)
}
