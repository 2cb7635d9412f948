import { hash as digestOf } from 'node:crypto'
import { sized, u16, u32 } from '../bytes/encode.ts'
import { FormatError, hex } from '../bytes/format-error.ts'
import { parseAll, type Reader } from '../bytes/reader.ts'
import { hashAlgorithm, TPM_ALG, type HashAlgorithm } from './algorithm.ts'

/** TPMT_SYM_DEF_OBJECT; undefined stands for TPM_ALG_NULL. */
export interface SymmetricDefinition {
  readonly algorithm: number
  readonly keyBits: number
  readonly mode: number
}

/** A signing, encryption or derivation scheme; undefined stands for TPM_ALG_NULL. */
export interface Scheme {
  readonly scheme: number
  /** TPM_ALG_ID of the hash; absent for RSAES, which has none. */
  readonly hash?: number
  /** ECDAA only. */
  readonly count?: number
}

interface PublicArea {
  readonly nameAlg: number
  readonly objectAttributes: number
  readonly authPolicy: Uint8Array
  readonly symmetric: SymmetricDefinition | undefined
  readonly scheme: Scheme | undefined
}

/** Public area of an RSA key. */
export interface RsaPublic extends PublicArea {
  readonly type: typeof TPM_ALG.RSA
  readonly keyBits: number
  /** 0 stands for 65537. */
  readonly exponent: number
  readonly modulus: Uint8Array
}

/** Public area of an ECC key. */
export interface EccPublic extends PublicArea {
  readonly type: typeof TPM_ALG.ECC
  readonly curveId: number
  readonly kdf: Scheme | undefined
  /** Coordinates as the TPM wrote them: a TPM may leave out leading zeros. */
  readonly x: Uint8Array
  readonly y: Uint8Array
}

export type TpmtPublic = RsaPublic | EccPublic

/**
 *     TPMT_PUBLIC { type UINT16, nameAlg UINT16, objectAttributes UINT32, authPolicy TPM2B_DIGEST,
 *                   parameters TPMU_PUBLIC_PARMS, unique TPMU_PUBLIC_ID }
 *
 * Reads the public area of an RSA or ECC key; keyed hashes and symmetric keys are refused.
 *
 * @throws FormatError `structure-short`, `structure-trailing`, `structure-value`
 * @see TPM 2.0 Part 2 r01.59 §12.2.4 TPMT_PUBLIC
 */
export function parseTpmtPublic(bytes: Uint8Array): TpmtPublic {
  return parseAll(bytes, readPublic)
}

function readPublic(reader: Reader): TpmtPublic {
  const type = reader.u16()
  const nameAlg = reader.u16()
  const objectAttributes = reader.u32()
  const authPolicy = reader.sized(64)
  const area = { nameAlg, objectAttributes, authPolicy }
  if (type === TPM_ALG.RSA) return { type, ...area, ...readRsa(reader) }
  if (type === TPM_ALG.ECC) return { type, ...area, ...readEcc(reader) }
  throw new FormatError('structure-value', { expected: 'an RSA or ECC key', found: hex(type) })
}

function readRsa(
  reader: Reader,
): Omit<RsaPublic, 'type' | 'nameAlg' | 'objectAttributes' | 'authPolicy'> {
  const symmetric = readSymmetric(reader)
  const scheme = readScheme(reader, [TPM_ALG.RSASSA, TPM_ALG.RSAPSS, TPM_ALG.OAEP, TPM_ALG.RSAES])
  const keyBits = reader.u16()
  const exponent = reader.u32()
  const modulus = reader.sized(512)
  return { symmetric, scheme, keyBits, exponent, modulus }
}

function readEcc(
  reader: Reader,
): Omit<EccPublic, 'type' | 'nameAlg' | 'objectAttributes' | 'authPolicy'> {
  const symmetric = readSymmetric(reader)
  const scheme = readScheme(reader, [
    TPM_ALG.ECDSA,
    TPM_ALG.ECDH,
    TPM_ALG.ECDAA,
    TPM_ALG.SM2,
    TPM_ALG.ECSCHNORR,
    TPM_ALG.ECMQV,
  ])
  const curveId = reader.u16()
  const kdf = readKdf(reader)
  const x = reader.sized(66)
  const y = reader.sized(66)
  return { symmetric, scheme, curveId, kdf, x, y }
}

function readSymmetric(reader: Reader): SymmetricDefinition | undefined {
  const algorithm = reader.u16()
  if (algorithm === TPM_ALG.NULL) return undefined
  if (algorithm !== TPM_ALG.AES)
    throw new FormatError('structure-value', { expected: 'AES', found: hex(algorithm) })
  return { algorithm, keyBits: reader.u16(), mode: reader.u16() }
}

function readScheme(reader: Reader, allowed: readonly number[]): Scheme | undefined {
  const scheme = reader.u16()
  if (scheme === TPM_ALG.NULL) return undefined
  if (!allowed.includes(scheme))
    throw new FormatError('structure-value', { expected: 'a scheme', found: hex(scheme) })
  if (scheme === TPM_ALG.RSAES) return { scheme }
  const hash = reader.u16()
  return scheme === TPM_ALG.ECDAA ? { scheme, hash, count: reader.u16() } : { scheme, hash }
}

function readKdf(reader: Reader): Scheme | undefined {
  const scheme = reader.u16()
  return scheme === TPM_ALG.NULL ? undefined : { scheme, hash: reader.u16() }
}

/**
 * The bytes of a public area, the inverse of {@link parseTpmtPublic}. The argument is the caller's own.
 *
 * @see TPM 2.0 Part 2 r01.59 §12.2.4 TPMT_PUBLIC
 */
export function encodeTpmtPublic(area: TpmtPublic): Uint8Array {
  const head = [
    u16(area.type),
    u16(area.nameAlg),
    u32(area.objectAttributes),
    sized(area.authPolicy),
  ]
  const common = [encodeSymmetric(area.symmetric), encodeScheme(area.scheme)]
  if (area.type === TPM_ALG.RSA) {
    return Buffer.concat([
      ...head,
      ...common,
      u16(area.keyBits),
      u32(area.exponent),
      sized(area.modulus),
    ])
  }
  return Buffer.concat([
    ...head,
    ...common,
    u16(area.curveId),
    encodeScheme(area.kdf),
    sized(area.x),
    sized(area.y),
  ])
}

function encodeSymmetric(definition: SymmetricDefinition | undefined): Uint8Array {
  if (definition === undefined) return u16(TPM_ALG.NULL)
  return Buffer.concat([u16(definition.algorithm), u16(definition.keyBits), u16(definition.mode)])
}

function encodeScheme(scheme: Scheme | undefined): Uint8Array {
  if (scheme === undefined) return u16(TPM_ALG.NULL)
  const parts = [scheme.scheme, scheme.hash, scheme.count].filter(part => part !== undefined)
  return Buffer.concat(parts.map(u16))
}

/** The hash by which a public area is named. Throws FormatError `structure-value` for an unknown one. */
export function nameAlgorithm(area: TpmtPublic): HashAlgorithm {
  return hashAlgorithm(area.nameAlg)
}

/**
 * The Name of an object: its name algorithm, then the hash of its public area. Computed from the very bytes that
 * were received and parsed.
 *
 * @param bytes TPMT_PUBLIC
 * @throws FormatError for bytes that are no public area
 * @see TPM 2.0 Part 1 r01.59 §16
 */
export function nameOf(bytes: Uint8Array): Uint8Array {
  const { name } = nameAlgorithm(parseTpmtPublic(bytes))
  return Buffer.concat([bytes.subarray(2, 4), digestOf(name, bytes, 'buffer')])
}

/** Permanent handles of the hierarchies, the Qualified Name of their primary seeds (TPM 2.0 Part 2 r01.59 §7.4). */
export const hierarchyHandles = {
  owner: 0x4000_0001,
  null: 0x4000_0007,
  endorsement: 0x4000_000b,
  platform: 0x4000_000c,
} as const

export type Hierarchy = keyof typeof hierarchyHandles

/**
 * The Qualified Name of an object: the hash over its parent's Qualified Name and its own Name, with its own name
 * algorithm.
 *
 * @param parent Qualified Name of the parent; for a primary key, the hierarchy
 * @param name the object's Name
 * @see TPM 2.0 Part 1 r01.59 §16
 */
export function qualifiedNameOf(parent: Uint8Array | Hierarchy, name: Uint8Array): Uint8Array {
  const above = typeof parent === 'string' ? u32(hierarchyHandles[parent]) : parent
  const algorithm = hashAlgorithm(((name[0] ?? 0) << 8) | (name[1] ?? 0))
  const digest = digestOf(algorithm.name, Buffer.concat([above, name]), 'buffer')
  return Buffer.concat([name.subarray(0, 2), digest])
}
