import { FormatError, hex } from '../bytes/format-error.ts'

/** Algorithm identifiers, 16 bits wide and never cut to fewer (TPM 2.0 Part 2 r01.59 §6.3 TPM_ALG_ID). */
export const TPM_ALG = {
  RSA: 0x0001,
  SHA1: 0x0004,
  AES: 0x0006,
  SHA256: 0x000b,
  SHA384: 0x000c,
  SHA512: 0x000d,
  NULL: 0x0010,
  RSASSA: 0x0014,
  RSAES: 0x0015,
  RSAPSS: 0x0016,
  OAEP: 0x0017,
  ECDSA: 0x0018,
  ECDH: 0x0019,
  ECDAA: 0x001a,
  SM2: 0x001b,
  ECSCHNORR: 0x001c,
  ECMQV: 0x001d,
  ECC: 0x0023,
  CFB: 0x0043,
} as const

/** One hash algorithm of TPMs that can be read here. */
export interface HashAlgorithm {
  readonly id: number
  readonly name: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  readonly size: number
  /** Only strong ones may stand in names, schemes and banks that anything is decided by. */
  readonly strong: boolean
}

/** Hashes by identifier; SHA-1 is known so that it can be named in a refusal (verification A1). */
export const hashAlgorithms: readonly HashAlgorithm[] = [
  { id: TPM_ALG.SHA1, name: 'sha1', size: 20, strong: false },
  { id: TPM_ALG.SHA256, name: 'sha256', size: 32, strong: true },
  { id: TPM_ALG.SHA384, name: 'sha384', size: 48, strong: true },
  { id: TPM_ALG.SHA512, name: 'sha512', size: 64, strong: true },
]

/** The row of a hash identifier. Throws FormatError `structure-value` for one without a row. */
export function hashAlgorithm(id: number): HashAlgorithm {
  const row = hashAlgorithms.find(candidate => candidate.id === id)
  if (row === undefined)
    throw new FormatError('structure-value', { expected: 'a known hash', found: hex(id) })
  return row
}

/** One elliptic curve of TPMs. */
export interface Curve {
  readonly id: number
  readonly name: 'P-256' | 'P-384' | 'P-521'
  /** As node:crypto's ECDH calls it. */
  readonly openssl: string
  readonly coordinateLength: number
  /** Order of the base point, big-endian. */
  readonly order: Uint8Array
}

/** TPM 2.0 Part 2 r01.59 §6.4 TPM_ECC_CURVE; orders from SP 800-186 §3.2.1. */
export const curves: readonly Curve[] = [
  {
    id: 0x0003,
    name: 'P-256',
    openssl: 'prime256v1',
    coordinateLength: 32,
    order: Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex'),
  },
  {
    id: 0x0004,
    name: 'P-384',
    openssl: 'secp384r1',
    coordinateLength: 48,
    order: Buffer.from(
      'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
      'hex',
    ),
  },
  {
    id: 0x0005,
    name: 'P-521',
    openssl: 'secp521r1',
    coordinateLength: 66,
    order: Buffer.from(
      '01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409',
      'hex',
    ),
  },
]

/** The row of a curve identifier, or undefined. */
export function curveOf(id: number): Curve | undefined {
  return curves.find(candidate => candidate.id === id)
}
