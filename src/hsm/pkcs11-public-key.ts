import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto'
import { jwsAlgorithmOf } from '../core/jose/algorithm.ts'
import { encodeEcSpki } from '../core/jose/ec-key.ts'
import type { Signer } from '../ports/signer.ts'
import { kinds, type KeyKind } from './pkcs11-constants.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import type { OpenedKey } from './pkcs11-messages.ts'

/** DER SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes. RFC 8410 §4. */
const edwardsPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** The kinds as the runtime names them. */
const kindsByName: Readonly<Record<string, KeyKind>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  ed25519: 'Ed25519',
}

/** The public half of a key in a token: what is hashed before the token signs, and what it gave is held against. */
export class Pkcs11PublicKey {
  readonly algorithm: Signer['algorithm']
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly key: KeyObject
  /** Undefined where the token hashes itself. */
  readonly #hash: string | undefined
  readonly #signatureLength: number

  private constructor(kind: KeyKind, spki: Uint8Array) {
    const row = kind === 'Ed25519' ? undefined : jwsAlgorithmOf[kind]
    this.algorithm = row?.name ?? 'Ed25519'
    this.#hash = row?.hash
    this.#signatureLength = row === undefined ? 64 : 2 * row.coordinateLength
    this.spki = spki
    this.key = importKey(spki)
  }

  /** @throws Pkcs11Error `pkcs11-key-unsuitable` for a point that is not on its curve */
  static ofPoint({ kind, point }: OpenedKey): Pkcs11PublicKey {
    if (kind === 'Ed25519')
      return new Pkcs11PublicKey(kind, new Uint8Array(Buffer.concat([edwardsPrefix, point])))
    const half = 1 + (kinds[kind].pointLength - 1) / 2
    return new Pkcs11PublicKey(
      kind,
      encodeEcSpki(kind, point.subarray(1, half), point.subarray(half)),
    )
  }

  /**
   * A key that is known before its token has shown it.
   *
   * @param spki DER SubjectPublicKeyInfo
   * @throws Pkcs11Error `pkcs11-key-unsuitable`
   */
  static ofSpki(spki: Uint8Array): Pkcs11PublicKey {
    const { asymmetricKeyType, asymmetricKeyDetails } = importKey(spki)
    const kind = kindsByName[asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType ?? '']
    if (kind === undefined) throw new Pkcs11Error('pkcs11-key-unsuitable')
    return new Pkcs11PublicKey(kind, spki)
  }

  /** What the token is given to sign. */
  prepare(message: Uint8Array): Uint8Array {
    return this.#hash === undefined ? message : createHash(this.#hash).update(message).digest()
  }

  /**
   * Sees that this key has signed: r ‖ s of full width (RFC 7518 §3.4), or 64 bytes of Ed25519.
   *
   * @throws Pkcs11Error `pkcs11-signature-wrong`
   */
  requireSignature(message: Uint8Array, signature: Uint8Array): void {
    const verifier = { key: this.key, dsaEncoding: 'ieee-p1363' } as const
    const isWhole = signature.length === this.#signatureLength
    if (!isWhole || !verify(this.#hash, message, verifier, signature))
      throw new Pkcs11Error('pkcs11-signature-wrong')
  }
}

function importKey(spki: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  } catch (cause) {
    throw new Pkcs11Error('pkcs11-key-unsuitable', { expected: 'a point on the curve', cause })
  }
}
