import { exportJwk, thumbprint, type PublicJwk } from '../core/jose/jwk.ts'
import { loadPin } from './pin.ts'
import type { KeyDescription } from './pkcs11-description.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import { Pkcs11PublicKey } from './pkcs11-public-key.ts'
import { recoveryOf } from './pkcs11-recovery.ts'
import { Pkcs11Token } from './pkcs11-token.ts'
import { parsePinSource, parsePkcs11Uri, type Pkcs11Uri } from './pkcs11-uri.ts'

/** What a URI does not hold itself. */
export interface Pkcs11KeyOptions {
  /** Where the PIN is read from when the URI does not say: a path or a file URI. */
  readonly pinSource?: string | undefined
  /** Makes the key, unable to leave the token, on this curve or on P-256; there must be none of this name. */
  readonly create?: boolean | 'P-256' | 'P-384' | undefined
}

/** A client signs once in a while, for somebody who waits: it is given time, and one session. */
const clientUse = { deadlineMs: 30_000, sessions: 1 } as const

/**
 * Opens a private key in a PKCS#11 token. All calls of the token are made in a process of their own; the token is asked
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
  return await enter(parsePkcs11Uri(uri), options)
}

/**
 * Opens the private key of a public one in a token, to look at it. As {@link openPkcs11Key}, whatever the key may do.
 *
 * @param uri of the token alone
 * @param point uncompressed
 * @throws Pkcs11Error `pkcs11-…`
 */
export async function findPkcs11Key(uri: string, point: Uint8Array): Promise<Pkcs11Key> {
  return await enter({ ...parsePkcs11Uri(uri, 'token'), point }, {})
}

async function enter(parsed: Pkcs11Uri, options: Pkcs11KeyOptions): Promise<Pkcs11Key> {
  const pin = await loadPinOf(parsed, options.pinSource)
  const token = Pkcs11Token.enter(parsed, { ...clientUse, pin })
  try {
    const { create = false } = options
    if (create !== false) await token.create(parsed, create === true ? 'P-256' : create)
    const publicKey = Pkcs11PublicKey.ofPoint(await token.open(parsed))
    return new Pkcs11Key(token, parsed, publicKey)
  } catch (error) {
    await token.leave()
    throw error
  }
}

/**
 * The PIN for a URI, from the file that it or its surroundings name; undefined where neither does.
 *
 * @throws Pkcs11Error `pkcs11-pin-absent`, `pkcs11-pin-exposed`, `pkcs11-uri-malformed`
 */
export async function loadPinOf(
  uri: Pkcs11Uri,
  pinSource: string | undefined,
): Promise<string | undefined> {
  const source = uri.pinSource ?? (pinSource === undefined ? undefined : parsePinSource(pinSource))
  return source === undefined ? undefined : await loadPin(source)
}

/** A private key in a PKCS#11 token. */
export class Pkcs11Key {
  readonly protection = 'pkcs11'
  readonly jwk: PublicJwk
  readonly jkt: string
  readonly algorithm: 'ES256' | 'ES384'
  readonly #token: Pkcs11Token
  readonly #uri: Pkcs11Uri
  readonly #publicKey: Pkcs11PublicKey
  #isClosed = false

  /** @throws Pkcs11Error `pkcs11-key-unsuitable` for a key on Ed25519 */
  constructor(token: Pkcs11Token, uri: Pkcs11Uri, publicKey: Pkcs11PublicKey) {
    if (publicKey.algorithm === 'Ed25519')
      throw new Pkcs11Error('pkcs11-key-unsuitable', { expected: 'a key on P-256 or P-384' })
    this.algorithm = publicKey.algorithm
    this.jwk = exportJwk(publicKey.key)
    this.jkt = thumbprint(this.jwk)
    this.#token = token
    this.#uri = uri
    this.#publicKey = publicKey
  }

  /** Hashes here, signs in the token, and sees that this key has signed; r ‖ s (RFC 7518 §3.4). */
  async sign(message: Uint8Array): Promise<Uint8Array> {
    if (this.#isClosed) throw new Pkcs11Error('pkcs11-failed', { found: 'a key that was closed' })
    const signature = await this.#signPrepared(this.#publicKey.prepare(message))
    this.#publicKey.requireSignature(message, signature)
    return signature
  }

  /** Tries once more where the token only lost its sessions. */
  async #signPrepared(data: Uint8Array): Promise<Uint8Array> {
    const { generation } = this.#token
    try {
      return await this.#token.sign(this.#uri, data)
    } catch (error) {
      const { returnValue } = error as Pkcs11Error
      if (returnValue === undefined || recoveryOf(returnValue) !== 'reopen') throw error
      await this.#token.reopen(generation)
      return await this.#token.sign(this.#uri, data)
    }
  }

  /** What the token says of the key and of itself. */
  async describe(): Promise<KeyDescription> {
    return await this.#token.describe(this.#uri)
  }

  /** Gives the token back; the last key of a token to close ends its process. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#token.leave()
  }
}
