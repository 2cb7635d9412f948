import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import * as der from '../../../src/core/der/writer.ts'
import { endorsementTemplates } from '../../../src/core/tpm/templates.ts'
import { encodeTpmtPublic, type TpmtPublic } from '../../../src/core/tpm/public.ts'
import {
  verifyEndorsementKey,
  type EndorsementEvidence,
  type EndorsementKey,
} from '../../../src/core/verifier/endorsement-key.ts'
import { EvidenceError } from '../../../src/core/verifier/error.ts'
import { parseTrustAnchor, type TrustAnchor } from '../../../src/core/verifier/trust-anchor.ts'
import { oids, type CertificateEdit } from '../../../swtpm/emulated/certificate.ts'
import { createEmulatedKey, type EmulatedKey } from '../../../swtpm/emulated/key.ts'
import {
  createEmulatedManufacturer,
  type EmulatedManufacturer,
} from '../../../swtpm/emulated/manufacturer.ts'
import { now, withExtension } from '../x509/fixtures.ts'

/** A maker, the anchor that it was admitted by, and what its hosts send along. */
export interface Maker {
  readonly manufacturer: EmulatedManufacturer
  readonly anchor: TrustAnchor
  readonly time: number
}

/** Founds a maker with this vendor id at a time. */
export function createMaker(vendor = 'id:00001014', time: number = now): Maker {
  const manufacturer = createEmulatedManufacturer(time, vendor)
  const labels = { name: 'Maker', vendor, assurance: 'emulated' } as const
  const anchor = parseTrustAnchor(manufacturer.root.certificate, labels, new Date(time))
  return { manufacturer, anchor, time }
}

export const maker: Maker = createMaker()

/** The public area of a template. */
export function shapeOf(name: string): TpmtPublic {
  const template = endorsementTemplates.find(row => row.name === name)
  if (template === undefined) throw new TypeError(name)
  return template.public
}

/** Endorsement keys by the templates L-2 and L-1. */
export const eccKey: EmulatedKey = createEmulatedKey(shapeOf('L-2'), 'endorsement')
export const rsaKey: EmulatedKey = createEmulatedKey(shapeOf('L-1'), 'endorsement')

/** Evidence of a key as its host sends it; the certificate is changed before it is signed. */
export function evidenceOf(
  edit: CertificateEdit = parts => parts,
  key: EmulatedKey = eccKey,
  { manufacturer, anchor, time }: Maker = maker,
): EndorsementEvidence {
  return {
    public: key.public,
    certificate: manufacturer.certify(key.publicKey, edit),
    chain: [manufacturer.issuer.certificate],
    anchors: [anchor],
    now: new Date(time),
  }
}

/** Verifies evidence, changed as the test wants it. */
export function verify(
  edit?: CertificateEdit,
  changed: Partial<EndorsementEvidence> = {},
  key?: EmulatedKey,
  by?: Maker,
): EndorsementKey {
  return verifyEndorsementKey({ ...evidenceOf(edit, key, by), ...changed })
}

/** The code with which evidence is refused; undefined where it is accepted. The last check must be the failed one. */
export function refusalOf(run: () => unknown): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error
    const last = error.checks.at(-1)
    if (last?.code !== error.code || last.outcome !== 'fail')
      throw new Error('not in the verdict', { cause: error })
    return error.code
  }
}

/** The same key under a public area that was changed. */
export function areaWith(key: EmulatedKey, change: Partial<TpmtPublic>): Uint8Array {
  return encodeTpmtPublic({ ...key.area, ...change } as TpmtPublic)
}

/** DER SubjectPublicKeyInfo of an RSA key of a size. */
export function rsaSpki(modulusLength: number, publicExponent = 65_537): Uint8Array {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent })
  return publicKey.export({ format: 'der', type: 'spki' })
}

/** An RSA key as some makers wrote it: rsaesOaep with its parameters. */
export function oaepSpki(key: KeyObject): Uint8Array {
  const { n = '', e = '' } = key.export({ format: 'jwk' })
  const [modulus, exponent] = [n, e].map(text =>
    der.unsignedInteger(Buffer.from(text, 'base64url')),
  )
  const label = der.sequence(
    der.objectIdentifier('1.2.840.113549.1.1.9'),
    der.octetString(Buffer.from('TCPA')),
  )
  const algorithm = der.sequence(
    der.objectIdentifier('1.2.840.113549.1.1.7'),
    der.sequence(der.contextConstructed(2, label)),
  )
  return der.sequence(
    algorithm,
    der.bitString(der.sequence(modulus ?? der.sequence(), exponent ?? der.sequence())),
  )
}

/** The bytes with the last bit turned over. */
export const flip = (bytes: Uint8Array): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1
  return copy
}

/** A certificate whose key is for these: the bits of KeyUsage (RFC 5280 §4.2.1.3). */
export const usage = (bits: number): CertificateEdit =>
  withExtension(oids.keyUsage, { value: der.namedBits(bits) })
