import { createHash, verify, type KeyObject } from 'node:crypto'
import { algorithmOfCurve, type JwsAlgorithm } from '../core/jose/algorithm.ts'
import { importJwk, parsePublicJwk, thumbprint, type PublicJwk } from '../core/jose/jwk.ts'
import { loadPin } from './pin.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import type { OpenedKey } from './pkcs11-messages.ts'
import { Pkcs11Module } from './pkcs11-module.ts'
import { parsePinSource, parsePkcs11Uri } from './pkcs11-uri.ts'

/** What a URI does not hold itself. */
export interface Pkcs11KeyOptions {
  /** Where the PIN is read from when the URI does not say: a path or a file URI. */
  readonly pinSource?: string | undefined
  /** Makes the key, on P-256 and unable to leave the token; there must be none of this name. */
  readonly create?: boolean | undefined
}

/**
 * Opens a private key in a PKCS#11 token. All calls of the token are made in a thread of their own; the token is asked
 * for its login once a start, whatever the outcome.
 *
 * @param uri which key, as RFC 7512 writes it, with `module-path`
 * @returns a key that answers as `ClientKey` of `src/attester/client-key.ts` says
 * @throws Pkcs11Error `pkcs11-…`
 */
export async function openPkcs11Key(
  uri: string,
  options: Pkcs11KeyOptions = {},
): Promise<Pkcs11Key> {
  const parsed = parsePkcs11Uri(uri)
  const source = parsed.pinSource ?? pinSourceOf(options.pinSource)
  const pin = source === undefined ? undefined : await loadPin(source)
  const module = await Pkcs11Module.enter(parsed.modulePath)
  try {
    const call = options.create === true ? 'create' : 'open'
    const opened = (await module.call({ call, uri: parsed, pin })) as OpenedKey
    return new Pkcs11Key(module, opened)
  } catch (error) {
    await module.leave()
    throw error
  }
}

function pinSourceOf(source: string | undefined): string | undefined {
  return source === undefined ? undefined : parsePinSource(source)
}

/** A private key in a PKCS#11 token. */
export class Pkcs11Key {
  readonly protection = 'pkcs11'
  readonly jwk: PublicJwk
  readonly jkt: string
  readonly algorithm: 'ES256' | 'ES384'
  readonly #module: Pkcs11Module
  readonly #number: number
  readonly #row: JwsAlgorithm
  readonly #publicKey: KeyObject
  #isClosed = false

  constructor(module: Pkcs11Module, opened: OpenedKey) {
    const row = algorithmOfCurve(opened.curve)
    if (row === undefined) throw new TypeError('the thread gives curves of the table')
    this.jwk = jwkOf(opened, row)
    this.jkt = thumbprint(this.jwk)
    this.algorithm = row.name
    this.#module = module
    this.#number = opened.key
    this.#row = row
    this.#publicKey = importJwk(this.jwk)
  }

  /** Hashes here, signs in the token, and sees that this key has signed; r ‖ s (RFC 7518 §3.4). */
  async sign(message: Uint8Array): Promise<Uint8Array> {
    const { hash, coordinateLength } = this.#row
    const digest = createHash(hash).update(message).digest()
    const signature = (await this.#module.call({
      call: 'sign',
      key: this.#number,
      digest,
    })) as Uint8Array
    const verifier = { key: this.#publicKey, dsaEncoding: 'ieee-p1363' } as const
    if (signature.length !== 2 * coordinateLength || !verify(hash, message, verifier, signature))
      throw new Pkcs11Error('pkcs11-signature-wrong')
    return signature
  }

  /** Gives the session back; the last key of a module to close ends its thread. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#module.call({ call: 'release', key: this.#number })
    await this.#module.leave()
  }
}

function jwkOf({ curve, point }: OpenedKey, { coordinateLength }: JwsAlgorithm): PublicJwk {
  const coordinate = (from: number): string =>
    Buffer.from(point.subarray(from, from + coordinateLength)).toString('base64url')
  const x = coordinate(1)
  return parsePublicJwk({ kty: 'EC', crv: curve, x, y: coordinate(1 + coordinateLength) })
}
