import { X509Certificate } from 'node:crypto'
import type { CertificateSigner } from '../core/issuance/credential.ts'
import type { AuthorityRecord } from '../ports/authority.ts'
import { AuthorityKeyError } from '../ports/authority-error.ts'
import { SignerError } from '../ports/signer-error.ts'
import type { SignerRole, WatchedSigner } from '../ports/signer.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import { Pkcs11PublicKey } from './pkcs11-public-key.ts'
import { createUnopenedSigner } from './unopened-signer.ts'
import { Pkcs11Signer, type Pkcs11SignerOptions } from './pkcs11-signer.ts'

const pinFileCodes: ReadonlySet<string> = new Set(['pkcs11-pin-absent', 'pkcs11-pin-exposed'])

type KeptKey = Pick<AuthorityRecord, 'chain' | 'keyReference'>

/** How the signers of authorities are opened. */
export interface AuthoritySignersOptions extends Pick<
  Pkcs11SignerOptions,
  'deadlineMs' | 'sessions' | 'onChange'
> {
  /** The URI by which a key is reached today. */
  readonly uriOf: (authority: KeptKey) => string
  /** What an authority with this key (DER SubjectPublicKeyInfo) is at the moment. */
  readonly roleOf: (publicKey: Uint8Array) => SignerRole
  /** Told of a key or a configuration that is wrong. */
  readonly onMistake: (cause: unknown) => void
  /** The signers of the service: those that are opened here join them. */
  readonly list: WatchedSigner[]
}

/**
 * The signers of authorities whose keys are in PKCS#11 tokens: one for each key, opened once somebody asks for it, and
 * watched from then on.
 */
export class AuthoritySigners {
  readonly #options: AuthoritySignersOptions
  readonly #opened = new Map<string, Promise<WatchedSigner>>()
  /** What is in the list for a key that could not be opened. */
  readonly #missed = new Map<string, WatchedSigner>()

  constructor(options: AuthoritySignersOptions) {
    this.#options = options
  }

  /**
   * Opens one. A mistake in key or configuration stands until the next start; one about the PIN's file, which costs no
   * login, until it is asked for again. Throws Pkcs11Error.
   */
  async watch(authority: KeptKey): Promise<WatchedSigner> {
    const publicKey = publicKeyOf(authority)
    const name = nameOf(publicKey)
    const opened = this.#opened.get(name) ?? this.#open(authority, publicKey)
    this.#opened.set(name, opened)
    try {
      return await opened
    } catch (cause) {
      const isPinFile = cause instanceof Pkcs11Error && pinFileCodes.has(cause.code)
      if (isPinFile && this.#opened.get(name) === opened) this.#opened.delete(name)
      throw cause
    }
  }

  /**
   * Begins to open one, so that a standby is watched before it is needed.
   *
   * @throws AuthorityKeyError `authority-key-unusable`; what it gives throws SignerError `signer-down`, `signer-busy`
   */
  signerOf(authority: KeptKey): CertificateSigner {
    const { algorithm } = Pkcs11PublicKey.ofSpki(publicKeyOf(authority))
    if (algorithm === 'Ed25519') throw new AuthorityKeyError('authority-key-unusable')
    void this.watch(authority).catch(this.#options.onMistake)
    return {
      algorithm,
      sign: async message => {
        const signer = await this.watch(authority).catch((cause: unknown) => {
          if (!(cause instanceof Pkcs11Error)) throw cause
          throw new SignerError('signer-down', { found: cause.code, cause })
        })
        return await signer.sign(message)
      },
    }
  }

  /** Gives one back, so that nobody signs with it or looks at it any more. */
  async release(authority: KeptKey): Promise<void> {
    const name = nameOf(publicKeyOf(authority))
    const signer = await this.#opened.get(name)?.catch(() => undefined)
    this.#opened.delete(name)
    this.#forgetMissed(name)
    if (signer === undefined) return
    this.#unlist(signer)
    await signer.close()
  }

  #unlist(signer: WatchedSigner): void {
    const at = this.#options.list.indexOf(signer)
    if (at >= 0) this.#options.list.splice(at, 1)
  }

  #forgetMissed(name: string): void {
    const missed = this.#missed.get(name)
    if (missed !== undefined) this.#unlist(missed)
    this.#missed.delete(name)
  }

  async #open(authority: KeptKey, publicKey: Uint8Array): Promise<WatchedSigner> {
    const { deadlineMs, sessions, onChange, uriOf, roleOf, list } = this.#options
    const role = (): SignerRole => roleOf(publicKey)
    const how = { deadlineMs, sessions, onChange, publicKey, role }
    const name = nameOf(publicKey)
    try {
      const signer = await Pkcs11Signer.open({ ...how, uri: uriOf(authority) })
      this.#forgetMissed(name)
      list.push(signer)
      return signer
    } catch (cause) {
      if (cause instanceof Pkcs11Error && !this.#missed.has(name)) {
        const missed = createUnopenedSigner(publicKey, role, cause)
        this.#missed.set(name, missed)
        list.push(missed)
        onChange(missed)
      }
      throw cause
    }
  }
}

function publicKeyOf({ chain: [issuing] }: KeptKey): Uint8Array {
  const { publicKey } = new X509Certificate(issuing ?? new Uint8Array())
  return new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))
}

function nameOf(publicKey: Uint8Array): string {
  return Buffer.from(publicKey).toString('base64')
}
