import { createHash } from 'node:crypto'
import * as der from '../../../src/core/der/writer.ts'
import { parseCertificate, type Certificate } from '../../../src/core/x509/certificate.ts'
import type { EmulatedAuthority, ExtensionPart } from '../../../swtpm/emulated/certificate.ts'
import { es256, intermediate, now, signedBy } from './fixtures.ts'

const day = 86_400_000

/** All that a list says, open to change before it is signed. */
export interface ListParts {
  readonly version: Uint8Array
  readonly issuer: Uint8Array
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
  /** Serial numbers as complete INTEGERs, with the extensions of each entry. */
  readonly entries: readonly {
    readonly serial: Uint8Array
    readonly extensions: readonly ExtensionPart[]
  }[]
  readonly extensions: readonly ExtensionPart[]
}

export const crlNumber: ExtensionPart = {
  oid: '2.5.29.20',
  critical: false,
  value: der.smallInteger(1),
}

const extensionsOf = (parts: readonly ExtensionPart[]): Uint8Array =>
  der.sequence(
    ...parts.map(({ oid, critical, value }) =>
      der.sequence(
        der.objectIdentifier(oid),
        ...(critical ? [der.booleanTrue] : []),
        der.octetString(value),
      ),
    ),
  )

/** The INTEGER of a certificate's serial number. */
export function serialOf(certificate: Certificate): Uint8Array {
  return der.tlv(0x02, certificate.fields.serialNumber)
}

/** An entry with a reason, ENUMERATED. */
export function entry(serial: Uint8Array, reason?: number): ListParts['entries'][number] {
  const value = der.tlv(0x0a, Uint8Array.of(reason ?? 0))
  const extensions = reason === undefined ? [] : [{ oid: '2.5.29.21', critical: false, value }]
  return { serial, extensions }
}

/** A list of the intermediate that revokes nothing and is a day old. */
export function listParts(issuer: EmulatedAuthority = intermediate): ListParts {
  return {
    version: der.smallInteger(1),
    issuer: issuer.name,
    thisUpdate: now - day,
    nextUpdate: now + 6 * day,
    entries: [],
    extensions: [crlNumber],
  }
}

/** CertificateList, DER. */
export function list(
  edit: (parts: ListParts) => ListParts = parts => parts,
  signer: EmulatedAuthority = intermediate,
): Uint8Array {
  const parts = edit(listParts())
  const entries = parts.entries.map(({ serial, extensions }) =>
    der.sequence(
      serial,
      der.certificateTime(now - 2 * day),
      ...(extensions.length === 0 ? [] : [extensionsOf(extensions)]),
    ),
  )
  const tbs = der.sequence(
    parts.version,
    es256,
    parts.issuer,
    der.certificateTime(parts.thisUpdate),
    ...(parts.nextUpdate === undefined ? [] : [der.certificateTime(parts.nextUpdate)]),
    ...(entries.length === 0 ? [] : [der.sequence(...entries)]),
    ...(parts.extensions.length === 0
      ? []
      : [der.contextConstructed(0, extensionsOf(parts.extensions))]),
  )
  return signedBy(signer, tbs)
}

const generalizedTime = (ms: number): Uint8Array =>
  der.tlv(0x18, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`))

/** What a responder says, open to change before it is signed. */
export interface ResponseParts {
  readonly hash: 'sha1' | 'sha256'
  readonly serial: Uint8Array
  readonly issuer: Certificate
  /** CertStatus, DER. */
  readonly status: Uint8Array
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
  readonly extensions: readonly ExtensionPart[]
  /** Certificates sent along, DER. */
  readonly certificates: readonly Uint8Array[]
  readonly responseStatus: number
}

const hashOids = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1' } as const

export const certificateStatus = {
  good: der.implicitPrimitive(0, new Uint8Array()),
  unknown: der.implicitPrimitive(2, new Uint8Array()),
  revoked: der.contextConstructed(
    1,
    generalizedTime(now - 2 * day),
    der.contextConstructed(0, der.tlv(0x0a, Uint8Array.of(1))),
  ),
} as const

/** OCSPResponse on a certificate of the intermediate, DER. */
export function response(
  certificate: Certificate,
  edit: (parts: ResponseParts) => ResponseParts = parts => parts,
  signer: Pick<EmulatedAuthority, 'privateKey'> = intermediate,
): Uint8Array {
  const parts = edit({
    hash: 'sha1',
    serial: serialOf(certificate),
    issuer: parseCertificate(intermediate.certificate),
    status: certificateStatus.good,
    thisUpdate: now - day,
    nextUpdate: now + day,
    extensions: [],
    certificates: [],
    responseStatus: 0,
  })
  const basic = basicResponse(certificate, parts, signer)
  const bytes = der.sequence(der.objectIdentifier('1.3.6.1.5.5.7.48.1.1'), der.octetString(basic))
  return der.sequence(
    der.tlv(0x0a, Uint8Array.of(parts.responseStatus)),
    der.contextConstructed(0, bytes),
  )
}

function basicResponse(
  certificate: Certificate,
  parts: ResponseParts,
  signer: Pick<EmulatedAuthority, 'privateKey'>,
): Uint8Array {
  const digest = (bytes: Uint8Array): Uint8Array => createHash(parts.hash).update(bytes).digest()
  const id = der.sequence(
    der.sequence(der.objectIdentifier(hashOids[parts.hash]), Uint8Array.of(5, 0)),
    der.octetString(digest(certificate.fields.issuer.encoded)),
    der.octetString(digest(parts.issuer.fields.keyBits)),
    parts.serial,
  )
  const single = der.sequence(
    id,
    parts.status,
    generalizedTime(parts.thisUpdate),
    ...(parts.nextUpdate === undefined
      ? []
      : [der.contextConstructed(0, generalizedTime(parts.nextUpdate))]),
  )
  const data = der.sequence(
    der.contextConstructed(2, der.octetString(digest(parts.issuer.fields.keyBits))),
    generalizedTime(now),
    der.sequence(single),
    ...(parts.extensions.length === 0
      ? []
      : [der.contextConstructed(1, extensionsOf(parts.extensions))]),
  )
  const signed = signedBy(signer, data)
  if (parts.certificates.length === 0) return signed
  const sent = der.contextConstructed(0, der.sequence(...parts.certificates))
  return der.sequence(signed.subarray(headerLength(signed)), sent)
}

/** How long identifier and length of an encoding are. */
function headerLength(encoded: Uint8Array): number {
  const first = encoded[1] ?? 0
  return first < 0x80 ? 2 : 2 + (first & 0x7f)
}
