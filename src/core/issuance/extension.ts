import { createHash } from 'node:crypto'
import * as der from '../der/writer.ts'
import { keyUsages } from '../x509/certificate.ts'
import {
  encodeAssuranceLevel,
  encodeAttestationResult,
  type AttestationReference,
} from './attestation-extension.ts'
import { extensionIds, type ExtensionName, type ProfileExtension } from './extension-name.ts'
import { encodeSubjectNames, type SubjectNames } from './general-names.ts'
import { keyPurposeId } from './key-purpose.ts'

/** What the values of extensions are made of; a profile that names an extension needs the members for it. */
export interface ExtensionSource {
  readonly keyUsage: readonly (keyof typeof keyUsages)[]
  /** Names of purposes (`keyPurposes`). */
  readonly extendedKeyUsage: readonly string[]
  /** DER SubjectPublicKeyInfo of the subject. */
  readonly spki: Uint8Array
  /** Subject key identifier of the issuer. */
  readonly issuerKeyIdentifier: Uint8Array
  /** The one that another certificate of this key has; undefined for a digest of the key. */
  readonly subjectKeyIdentifier?: Uint8Array | undefined
  readonly names: SubjectNames
  readonly attestation?: AttestationReference | undefined
  /** A certificate authority; `pathLength` undefined says that any number may stand below it. */
  readonly authority?: { readonly pathLength: number | undefined } | undefined
  /** DER NameConstraints. */
  readonly nameConstraints?: Uint8Array | undefined
  /** Where the status of this certificate is told. */
  readonly status?: Partial<StatusUrls> | undefined
}

/** URLs of the list that speaks of a certificate, of the responder that does, and of the certificate above it. */
export interface StatusUrls {
  readonly crl: string
  readonly ocsp: string
  readonly issuer: string
}

/** How the value of each extension is written. */
const encoders: Readonly<Record<ExtensionName, (source: ExtensionSource) => Uint8Array>> = {
  basicConstraints: ({ authority }) =>
    authority === undefined
      ? der.sequence()
      : der.sequence(
          der.booleanTrue,
          ...(authority.pathLength === undefined ? [] : [der.smallInteger(authority.pathLength)]),
        ),
  keyUsage: ({ keyUsage }) => der.namedBits(keyUsageByte(keyUsage)),
  extendedKeyUsage: ({ extendedKeyUsage }) =>
    der.sequence(...extendedKeyUsage.map(name => der.objectIdentifier(keyPurposeId(name)))),
  subjectKeyIdentifier: ({ spki, subjectKeyIdentifier }) =>
    der.octetString(subjectKeyIdentifier ?? keyIdentifierOf(spki)),
  authorityKeyIdentifier: ({ issuerKeyIdentifier }) =>
    der.sequence(der.implicitPrimitive(0, issuerKeyIdentifier)),
  subjectAlternativeName: ({ names }) => encodeSubjectNames(names),
  nameConstraints: ({ nameConstraints }) => present(nameConstraints),
  crlDistributionPoints: ({ status }) => {
    const fullName = der.contextConstructed(0, encodeUrl(present(status?.crl)))
    return der.sequence(der.sequence(der.contextConstructed(0, fullName)))
  },
  authorityInformationAccess: ({ status }) =>
    der.sequence(
      der.sequence(der.objectIdentifier('1.3.6.1.5.5.7.48.1'), encodeUrl(present(status?.ocsp))),
      der.sequence(der.objectIdentifier('1.3.6.1.5.5.7.48.2'), encodeUrl(present(status?.issuer))),
    ),
  ocspNoCheck: () => Uint8Array.of(0x05, 0x00),
  assuranceLevel: ({ attestation }) => encodeAssuranceLevel(present(attestation)),
  attestationResult: ({ attestation }) => encodeAttestationResult(present(attestation)),
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('the profile names an extension without its value')
  return value
}

function encodeUrl(url: string): Uint8Array {
  return der.implicitPrimitive(6, Buffer.from(url, 'ascii'))
}

/** Bits 0 to 7 of KeyUsage from the left. */
function keyUsageByte(names: readonly (keyof typeof keyUsages)[]): number {
  return names.reduce((byte, name) => byte | (0x80 >> Math.log2(keyUsages[name])), 0)
}

/** One extension (RFC 5280 §4.1.2.9). */
export function encodeExtension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  return der.sequence(encodeHead(oid, critical), der.octetString(value))
}

const heads = new Map<string, Uint8Array>()

/** What an extension begins with: of the few that there are, each is encoded once. */
function encodeHead(oid: string, critical: boolean): Uint8Array {
  const key = critical ? `${oid}!` : oid
  let head = heads.get(key)
  if (head === undefined) {
    head = Buffer.concat([der.objectIdentifier(oid), ...(critical ? [der.booleanTrue] : [])])
    heads.set(key, head)
  }
  return head
}

/** What an extension is made of and nothing else, where that is one object for many certificates. */
const sameFor: Partial<Readonly<Record<ExtensionName, (source: ExtensionSource) => object>>> = {
  keyUsage: ({ keyUsage }) => keyUsage,
  extendedKeyUsage: ({ extendedKeyUsage }) => extendedKeyUsage,
  authorityKeyIdentifier: ({ issuerKeyIdentifier }) => issuerKeyIdentifier,
}

const encodedFor = new WeakMap<ProfileExtension, WeakMap<object, Uint8Array>>()

/** The extensions of a profile, in its order. Throws TypeError for a value that is missing. */
export function encodeExtensions(
  extensions: readonly ProfileExtension[],
  source: ExtensionSource,
): Uint8Array[] {
  return extensions.map(extension => {
    const same = sameFor[extension.name]?.(source)
    return same === undefined ? encode(extension, source) : encodeOnce(extension, source, same)
  })
}

function encode({ name, critical }: ProfileExtension, source: ExtensionSource): Uint8Array {
  return encodeExtension(extensionIds[name], critical, encoders[name](source))
}

function encodeOnce(
  extension: ProfileExtension,
  source: ExtensionSource,
  same: object,
): Uint8Array {
  let encoded = encodedFor.get(extension)
  if (encoded === undefined) {
    encoded = new WeakMap()
    encodedFor.set(extension, encoded)
  }
  let bytes = encoded.get(same)
  if (bytes === undefined) {
    bytes = encode(extension, source)
    encoded.set(same, bytes)
  }
  return bytes
}

/** RFC 7093 §2 method 4: a hash of the SubjectPublicKeyInfo, 160 bits of it. */
export function keyIdentifierOf(spki: Uint8Array): Uint8Array {
  return createHash('sha256').update(spki).digest().subarray(0, 20)
}
