import { constants, verify, type KeyObject } from 'node:crypto'
import { constructedContextTag } from '../der/tag.ts'
import * as der from '../der/writer.ts'

/** One way to sign certificates, requests, CRLs and OCSP answers. */
export interface SignatureAlgorithm {
  readonly name: string
  readonly keyType: 'ec' | 'rsa'
  readonly hash: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  /** SHA-1 is known only so that a refusal can name it (verification A1). */
  readonly isStrong: boolean
  /** Length of the salt of RSASSA-PSS; undefined for PKCS #1 v1.5 and ECDSA. */
  readonly saltLength?: number
}

type Row = SignatureAlgorithm & { readonly oid: string }

const rows: readonly Row[] = [
  {
    name: 'ecdsa-with-SHA256',
    oid: '1.2.840.10045.4.3.2',
    keyType: 'ec',
    hash: 'sha256',
    isStrong: true,
  },
  {
    name: 'ecdsa-with-SHA384',
    oid: '1.2.840.10045.4.3.3',
    keyType: 'ec',
    hash: 'sha384',
    isStrong: true,
  },
  {
    name: 'ecdsa-with-SHA512',
    oid: '1.2.840.10045.4.3.4',
    keyType: 'ec',
    hash: 'sha512',
    isStrong: true,
  },
  {
    name: 'sha256WithRSAEncryption',
    oid: '1.2.840.113549.1.1.11',
    keyType: 'rsa',
    hash: 'sha256',
    isStrong: true,
  },
  {
    name: 'sha384WithRSAEncryption',
    oid: '1.2.840.113549.1.1.12',
    keyType: 'rsa',
    hash: 'sha384',
    isStrong: true,
  },
  {
    name: 'sha512WithRSAEncryption',
    oid: '1.2.840.113549.1.1.13',
    keyType: 'rsa',
    hash: 'sha512',
    isStrong: true,
  },
  {
    name: 'sha1WithRSAEncryption',
    oid: '1.2.840.113549.1.1.5',
    keyType: 'rsa',
    hash: 'sha1',
    isStrong: false,
  },
  {
    name: 'ecdsa-with-SHA1',
    oid: '1.2.840.10045.4.1',
    keyType: 'ec',
    hash: 'sha1',
    isStrong: false,
  },
]

const hashOids = [
  { hash: 'sha256', oid: '2.16.840.1.101.3.4.2.1', length: 32 },
  { hash: 'sha384', oid: '2.16.840.1.101.3.4.2.2', length: 48 },
  { hash: 'sha512', oid: '2.16.840.1.101.3.4.2.3', length: 64 },
] as const

const derNull = Uint8Array.of(0x05, 0x00)

/** Every AlgorithmIdentifier that is accepted, whole: parameters are compared, never interpreted. */
const byIdentifier = new Map<string, SignatureAlgorithm>()

for (const row of rows) {
  const oid = der.objectIdentifier(row.oid)
  // RFC 5758 §3.2: no parameters for ECDSA. RFC 4055 §5: NULL for RSA, and absent ones are accepted.
  byIdentifier.set(keyOf(der.sequence(oid)), row)
  if (row.keyType === 'rsa') byIdentifier.set(keyOf(der.sequence(oid, derNull)), row)
}

// RFC 4055 §3.1 RSASSA-PSS-params: the same hash for message and mask, and a salt of its length.
for (const { hash, oid, length } of hashOids) {
  for (const parameters of [[derNull], []]) {
    const digest = der.sequence(der.objectIdentifier(oid), ...parameters)
    const mask = der.sequence(der.objectIdentifier('1.2.840.113549.1.1.8'), digest)
    const fields = [digest, mask, der.smallInteger(length)].map((field, index) =>
      der.tlv(constructedContextTag(index), field),
    )
    const identifier = der.sequence(
      der.objectIdentifier('1.2.840.113549.1.1.10'),
      der.sequence(...fields),
    )
    const name = `rsassa-pss-${hash}`
    byIdentifier.set(keyOf(identifier), {
      name,
      keyType: 'rsa',
      hash,
      isStrong: true,
      saltLength: length,
    })
  }
}

function keyOf(identifier: Uint8Array): string {
  return Buffer.from(identifier.buffer, identifier.byteOffset, identifier.byteLength).toString(
    'latin1',
  )
}

/**
 * The algorithm that an AlgorithmIdentifier names; undefined for one without a row, or with other parameters.
 *
 * @param identifier DER AlgorithmIdentifier, whole
 */
export function signatureAlgorithmOf(identifier: Uint8Array): SignatureAlgorithm | undefined {
  return byIdentifier.get(keyOf(identifier))
}

/**
 * Whether `signature` is one over `message` by `key` under the algorithm. False for a key of another kind, for any
 * malformed signature, and for an algorithm that is not strong.
 *
 * @param signature contents of the BIT STRING
 */
export function isSignedWith(
  algorithm: SignatureAlgorithm,
  key: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return algorithm.isStrong && isIntact(algorithm, key, message, signature)
}

/**
 * As {@link isSignedWith}, with SHA-1 as well: shows that bytes are whole, not who signed them. For the signature of
 * a trust anchor on itself, which nothing rests on.
 */
export function isIntact(
  algorithm: SignatureAlgorithm,
  key: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (key.asymmetricKeyType !== algorithm.keyType) return false
  if (algorithm.keyType === 'ec') return verify(algorithm.hash, message, key, signature)
  const padding =
    algorithm.saltLength === undefined
      ? { padding: constants.RSA_PKCS1_PADDING }
      : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: algorithm.saltLength }
  return verify(algorithm.hash, message, { key, ...padding }, signature)
}
