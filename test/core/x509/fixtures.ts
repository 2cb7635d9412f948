import { constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import * as der from '../../../src/core/der/writer.ts'
import { parseCertificate, type Certificate } from '../../../src/core/x509/certificate.ts'
import {
  certificateParts,
  createAuthority,
  distinguishedName,
  oids,
  signCertificate,
  type CertificateEdit,
  type CertificateParts,
  type EmulatedAuthority,
  type ExtensionPart,
} from '../../../swtpm/emulated/certificate.ts'

export const now: number = Date.UTC(2026, 10, 1)
export const year: number = 365 * 86_400_000

/** A root and an intermediate below it, made once: what tests change they make anew. */
export const root: EmulatedAuthority = createAuthority('Test root', now)
export const intermediate: EmulatedAuthority = createAuthority('Test intermediate', now, root)

export const leafKey: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
})

/** An authority that is changed before its certificate is signed. */
export function authority(
  commonName: string,
  edit: CertificateEdit = parts => parts,
  parent: EmulatedAuthority = root,
): EmulatedAuthority {
  return createAuthority(commonName, now, parent, edit)
}

/** An end entity below an authority, for one key; changed before it is signed. */
export function leaf(
  edit: CertificateEdit = parts => parts,
  issuer: EmulatedAuthority = intermediate,
): Certificate {
  return parseCertificate(leafBytes(edit, issuer))
}

/** As {@link leaf}, DER. */
export function leafBytes(
  edit: CertificateEdit = parts => parts,
  issuer: EmulatedAuthority = intermediate,
): Uint8Array {
  return signCertificate(edit(leafParts(issuer)), issuer.privateKey)
}

/** What an end entity's certificate says before anybody changes it. */
export function leafParts(issuer: EmulatedAuthority = intermediate): CertificateParts {
  const spki = leafKey.publicKey.export({ format: 'der', type: 'spki' })
  const extensions = [
    { oid: oids.basicConstraints, critical: true, value: der.sequence() },
    { oid: oids.keyUsage, critical: true, value: der.namedBits(0x80) },
  ]
  const subject = distinguishedName('Test leaf')
  return certificateParts(issuer, { subject, spki, extensions }, now)
}

/** Replaces an extension, takes it out where there is nothing in its place, or adds it. */
export function withExtension(
  oid: string,
  part: Partial<ExtensionPart> | undefined,
): CertificateEdit {
  return parts => {
    const before = parts.extensions.find(extension => extension.oid === oid)
    const others = parts.extensions.filter(extension => extension.oid !== oid)
    if (part === undefined) return { ...parts, extensions: others }
    const base = before ?? { oid, critical: false, value: der.sequence() }
    return { ...parts, extensions: [...others, { ...base, ...part }] }
  }
}

/** Changes one after the other. */
export function both(...edits: readonly CertificateEdit[]): CertificateEdit {
  return parts => edits.reduce((changed, edit) => edit(changed), parts)
}

const rsaOid = (n: number): Uint8Array =>
  der.sequence(der.objectIdentifier(`1.2.840.113549.1.1.${n}`), Uint8Array.of(5, 0))

/** Ways to sign that the emulated authorities do not know. */
export const algorithms = {
  'ecdsa-with-SHA1': {
    identifier: der.sequence(der.objectIdentifier('1.2.840.10045.4.1')),
    hash: 'sha1',
  },
  'ecdsa-with-SHA384': {
    identifier: der.sequence(der.objectIdentifier('1.2.840.10045.4.3.3')),
    hash: 'sha384',
  },
  sha1WithRSAEncryption: { identifier: rsaOid(5), hash: 'sha1' },
  sha256WithRSAEncryption: { identifier: rsaOid(11), hash: 'sha256' },
} as const

/** A certificate in every part of which something can stand that no builder would write. */
export function signAs(
  algorithm: keyof typeof algorithms,
  parts: CertificateParts,
  privateKey: KeyObject,
): Uint8Array {
  const { identifier, hash } = algorithms[algorithm]
  return sealed(
    tbsOf(parts, identifier),
    identifier,
    sign(hash, tbsOf(parts, identifier), privateKey),
  )
}

/** TBSCertificate with any AlgorithmIdentifier. */
export function tbsOf(parts: CertificateParts, identifier: Uint8Array): Uint8Array {
  return der.sequence(
    der.contextConstructed(0, der.smallInteger(2)),
    der.unsignedInteger(parts.serial),
    identifier,
    parts.issuer,
    der.sequence(der.certificateTime(parts.notBefore), der.certificateTime(parts.notAfter)),
    parts.subject,
    parts.spki,
    der.contextConstructed(3, der.sequence(...parts.extensions.map(encodeExtension))),
  )
}

function encodeExtension({ oid, critical, value }: ExtensionPart): Uint8Array {
  const [id, octets] = [der.objectIdentifier(oid), der.octetString(value)]
  return critical ? der.sequence(id, der.booleanTrue, octets) : der.sequence(id, octets)
}

/** SIGNED { … }: what is signed, how, and the signature. */
export function sealed(
  signed: Uint8Array,
  identifier: Uint8Array,
  signature: Uint8Array,
): Uint8Array {
  return der.sequence(signed, identifier, der.bitString(signature))
}

/** Any bytes signed by an authority with ECDSA and SHA-256, in the form of certificates, lists and responses. */
export function signedBy(
  signer: Pick<EmulatedAuthority, 'privateKey'>,
  signed: Uint8Array,
): Uint8Array {
  return sealed(signed, es256, sign('sha256', signed, signer.privateKey))
}

/** AlgorithmIdentifier of ecdsa-with-SHA256. */
export const es256: Uint8Array = der.sequence(der.objectIdentifier('1.2.840.10045.4.3.2'))

/** RSASSA-PSS with SHA-256 and a salt of its length, for keys that are given. */
export function signPss(message: Uint8Array, key: KeyObject): Uint8Array {
  return sign('sha256', message, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })
}
