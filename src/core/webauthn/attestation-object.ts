import { FormatError } from '../bytes/format-error.ts'
import { parseCborMap, type CborMap } from './cbor.ts'

/** Web Authentication Level 2 §8.3 tpmStmtFormat, of the form with a certificate. */
export interface TpmStatement {
  /** COSEAlgorithmIdentifier. */
  readonly alg: number
  /** DER certificates, that of the attestation key first. At least one. */
  readonly x5c: readonly [Uint8Array, ...Uint8Array[]]
  readonly sig: Uint8Array
  /** TPMS_ATTEST. */
  readonly certInfo: Uint8Array
  /** TPMT_PUBLIC. */
  readonly pubArea: Uint8Array
}

const sizeLimit = 0x1_0000
const chainLimit = 16

/** An attestation object as its members say, whatever its format. Untrusted. */
export interface AttestationObject {
  readonly fmt: unknown
  readonly attStmt: CborMap
  /** Absent where the statement is bound to something else than a credential. */
  readonly authData: Uint8Array | undefined
}

/**
 *     attObj = { fmt: text, attStmt: map, ? authData: bytes }
 *
 * @throws FormatError
 * @see Web Authentication Level 2 §6.5.4; draft-ietf-acme-device-attest-09 §5 for one without authData
 */
export function parseAttestationObject(bytes: Uint8Array): AttestationObject {
  if (bytes.length > sizeLimit)
    throw new FormatError('structure-value', { expected: 'at most 64 KiB' })
  const map = parseCborMap(bytes)
  requireMembers(map, ['fmt', 'attStmt', 'authData'])
  const attStmt = map.get('attStmt')
  if (!(attStmt instanceof Map)) throw new FormatError('structure-value', { expected: 'attStmt' })
  const authData = map.has('authData') ? octets(map, 'authData') : undefined
  return { fmt: map.get('fmt'), attStmt, authData }
}

/** Whether it is the one format and version that is read here, under a certificate. */
export function isTpmFormat({ fmt, attStmt }: AttestationObject): boolean {
  return fmt === 'tpm' && attStmt.get('ver') === '2.0' && attStmt.has('x5c')
}

/**
 *     attStmt = { ver: "2.0", alg: int, x5c: [ 1* bytes ], sig: bytes, certInfo: bytes, pubArea: bytes }
 *
 * @throws FormatError
 * @see Web Authentication Level 2 §8.3
 */
export function readTpmStatement({ attStmt }: AttestationObject): TpmStatement {
  requireMembers(attStmt, ['ver', 'alg', 'x5c', 'sig', 'certInfo', 'pubArea'])
  const alg = attStmt.get('alg')
  if (typeof alg !== 'number') throw new FormatError('structure-value', { expected: 'alg' })
  const [sig, certInfo, pubArea] = ['sig', 'certInfo', 'pubArea'].map(name =>
    octets(attStmt, name),
  ) as [Uint8Array, Uint8Array, Uint8Array]
  return { alg, x5c: chainOf(attStmt.get('x5c')), sig, certInfo, pubArea }
}

/** What nobody looks at does not belong there. */
function requireMembers(map: CborMap, known: readonly string[]): void {
  for (const key of map.keys())
    if (typeof key !== 'string' || !known.includes(key))
      throw new FormatError('structure-value', { expected: known.join(', ') })
}

function octets(map: CborMap, name: string): Uint8Array {
  const value = map.get(name)
  if (!(value instanceof Uint8Array)) throw new FormatError('structure-value', { expected: name })
  return Uint8Array.from(value)
}

function chainOf(value: unknown): TpmStatement['x5c'] {
  const certificates = Array.isArray(value) ? (value as unknown[]) : []
  const isBytes = (item: unknown): item is Uint8Array => item instanceof Uint8Array
  const [first, ...others] = certificates.filter(isBytes)
  const isWhole = others.length + 1 === certificates.length && certificates.length <= chainLimit
  if (first === undefined || !isWhole)
    throw new FormatError('structure-value', { expected: `1 to ${chainLimit} certificates` })
  return [first, ...others]
}
