import { randomBytes } from 'node:crypto'
import { SignerError } from '../ports/signer-error.ts'
import type { SignerRole, SignerState, WatchedSigner } from '../ports/signer.ts'
import { loadPinOf } from './pkcs11-key.ts'
import { Pkcs11Error, type Pkcs11ErrorCode } from './pkcs11-error.ts'
import { Pkcs11PublicKey } from './pkcs11-public-key.ts'
import { recoveryOf, type Recovery } from './pkcs11-recovery.ts'
import { Pkcs11Token } from './pkcs11-token.ts'
import { parsePkcs11Uri, type Pkcs11Uri } from './pkcs11-uri.ts'

/** How a signer of the service is opened. */
export interface Pkcs11SignerOptions {
  /** Asked with each use: an authority that is prepared becomes the one that issues. */
  readonly role: SignerRole | (() => SignerRole)
  /** RFC 7512, with `module-path`; `pin-source` where the token asks for a PIN. */
  readonly uri: string
  /** DER SubjectPublicKeyInfo of the key that is meant; with it a signer may begin while its token is away. */
  readonly publicKey?: Uint8Array | undefined
  /** How long one signature may take before its process is replaced, milliseconds. */
  readonly deadlineMs: number
  readonly sessions: number
  /** Told of each change, once. */
  readonly onChange: (signer: WatchedSigner) => void
}

/** An absent token shows within a second: looked at so often, and tried again so often while it is down. */
const probeMs = 400
/** What a probe signs cannot be taken for a certificate, a token or a checkpoint: it begins as none of them does. */
const probePrefix = 'assay signer probe\n'

/** Failures after which trying again does harm or changes nothing. */
const isFinal = (code: Pkcs11ErrorCode): boolean => /^pkcs11-(pin|key)-/.test(code)
/** Failures that are the configuration's: with them a service does not start. */
const isMistake = (code: Pkcs11ErrorCode): boolean =>
  /^pkcs11-(key-|uri-|pin-in-uri|pin-absent|pin-exposed|module|token-ambiguous)/.test(code)

/**
 * A signer over a key in a PKCS#11 token, watched: what it signs goes to a session of the pool; when the token is lost
 * it is down at once, refuses without waiting, and is tried again until the token has signed. Lost sessions are made
 * anew without anybody noticing.
 */
export class Pkcs11Signer implements WatchedSigner {
  readonly place = 'pkcs11'
  readonly algorithm: WatchedSigner['algorithm']
  readonly publicKey: Uint8Array
  readonly #role: Pkcs11SignerOptions['role']
  readonly #uri: Pkcs11Uri
  readonly #token: Pkcs11Token
  readonly #onChange: Pkcs11SignerOptions['onChange']
  readonly #timer: NodeJS.Timeout
  #known: Pkcs11PublicKey
  #down: Pkcs11Error | undefined
  #since = Date.now()
  #isProbing = false
  #isClosed = false

  private constructor(options: Pkcs11SignerOptions, opening: Opening) {
    this.#role = options.role
    this.#uri = opening.uri
    this.#token = opening.token
    this.#known = opening.publicKey
    this.#down = opening.failure
    this.#onChange = options.onChange
    this.algorithm = opening.publicKey.algorithm
    this.publicKey = opening.publicKey.spki
    this.#timer = setInterval(() => void this.#look(), probeMs).unref()
  }

  /**
   * Opens the key. A token that is away, or that refuses the PIN, leaves a signer that is down; a key that must not be
   * used, or is another one than was known, leaves none.
   *
   * @throws Pkcs11Error `pkcs11-uri-…`, `pkcs11-pin-absent`, `pkcs11-pin-exposed`, `pkcs11-module`, `pkcs11-key-…`; where
   *   the public key is not known, whatever the token answers
   */
  static async open(options: Pkcs11SignerOptions): Promise<Pkcs11Signer> {
    const uri = parsePkcs11Uri(options.uri)
    const pin = await loadPinOf(uri, undefined)
    const { deadlineMs, sessions } = options
    const token = Pkcs11Token.enter(uri, { pin, deadlineMs, sessions })
    try {
      const signer = new Pkcs11Signer(options, await openOrWait(token, uri, options.publicKey))
      if (signer.#down !== undefined) options.onChange(signer)
      return signer
    } catch (error) {
      await token.leave()
      throw error
    }
  }

  get role(): SignerRole {
    return typeof this.#role === 'string' ? this.#role : this.#role()
  }

  state(): SignerState {
    const reason = this.#down?.returnValue ?? this.#down?.code
    return {
      isUp: this.#down === undefined,
      since: this.#since,
      waiting: this.#token.waiting,
      ...(reason === undefined ? {} : { reason }),
    }
  }

  /** Throws SignerError `signer-down`, `signer-busy`. */
  async sign(message: Uint8Array): Promise<Uint8Array> {
    if (this.#down !== undefined) throw this.#refusal(this.#down)
    const { generation } = this.#token
    try {
      return await this.#signNow(message)
    } catch (error) {
      const failure = asFailure(error)
      const recovery = recoveryFor(failure)
      if (recovery === 'reopen') return await this.#signAgain(message, generation)
      if (recovery !== 'wait') this.#fall(failure, generation)
      throw this.#refusal(failure)
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#timer)
    await this.#token.leave()
  }

  async #signNow(message: Uint8Array): Promise<Uint8Array> {
    const signature = await this.#token.sign(this.#uri, this.#known.prepare(message))
    this.#known.requireSignature(message, signature)
    return signature
  }

  /** The sessions were lost: once more in new ones, with the key looked up and held against the known one. */
  async #signAgain(message: Uint8Array, generation: number): Promise<Uint8Array> {
    try {
      await this.#token.reopen(generation)
      await this.#requireKnown()
      return await this.#signNow(message)
    } catch (error) {
      const failure = asFailure(error)
      if (recoveryFor(failure) !== 'wait') this.#fall(failure, this.#token.generation)
      throw this.#refusal(failure)
    }
  }

  async #requireKnown(): Promise<void> {
    const { spki } = Pkcs11PublicKey.ofPoint(await this.#token.open(this.#uri))
    if (Buffer.compare(spki, this.publicKey) !== 0) throw new Pkcs11Error('pkcs11-key-changed')
  }

  #refusal(failure: Pkcs11Error): SignerError {
    const code = failure.code === 'pkcs11-busy' ? 'signer-busy' : 'signer-down'
    const found = `${this.role}: ${failure.returnValue ?? failure.code}`
    return new SignerError(code, { found, cause: failure })
  }

  #fall(failure: Pkcs11Error, generation: number): void {
    if (recoveryFor(failure) === 'restart') this.#token.restart(generation)
    this.#change(failure)
  }

  #change(failure: Pkcs11Error | undefined): void {
    const isNews = (this.#down === undefined) !== (failure === undefined)
    this.#down = failure
    if (!isNews || this.#isClosed) return
    this.#since = Date.now()
    this.#onChange(this)
  }

  /** One look at a time: whether a token that is up still answers, whether one that is down signs again. */
  async #look(): Promise<void> {
    if (this.#isProbing || this.#isClosed) return
    if (this.#down !== undefined && isFinal(this.#down.code)) return
    this.#isProbing = true
    const { generation } = this.#token
    try {
      await (this.#down === undefined ? this.#token.probe(this.#uri) : this.#proveUp())
      this.#change(undefined)
    } catch (error) {
      if (!this.#isClosed) await this.#judge(asFailure(error), generation)
    } finally {
      this.#isProbing = false
    }
  }

  async #judge(failure: Pkcs11Error, generation: number): Promise<void> {
    const recovery = recoveryFor(failure)
    if (recovery === 'wait' && this.#down === undefined) return
    if (recovery !== 'reopen') return this.#fall(failure, generation)
    await this.#token.reopen(generation)
    // While it is up, the next look or signature finds out whether that was all.
    if (this.#down !== undefined) this.#change(failure)
  }

  /** Up is who has signed. */
  async #proveUp(): Promise<void> {
    await this.#requireKnown()
    await this.#signNow(Buffer.concat([Buffer.from(probePrefix), randomBytes(16)]))
  }
}

interface Opening {
  readonly uri: Pkcs11Uri
  readonly token: Pkcs11Token
  readonly publicKey: Pkcs11PublicKey
  readonly failure: Pkcs11Error | undefined
}

async function openOrWait(
  token: Pkcs11Token,
  uri: Pkcs11Uri,
  known: Uint8Array | undefined,
): Promise<Opening> {
  try {
    const publicKey = Pkcs11PublicKey.ofPoint(await token.open(uri))
    if (known !== undefined && Buffer.compare(publicKey.spki, known) !== 0)
      throw new Pkcs11Error('pkcs11-key-changed')
    return { uri, token, publicKey, failure: undefined }
  } catch (error) {
    const failure = asFailure(error)
    if (known === undefined || isMistake(failure.code)) throw failure
    return { uri, token, publicKey: Pkcs11PublicKey.ofSpki(known), failure }
  }
}

function asFailure(error: unknown): Pkcs11Error {
  if (error instanceof Pkcs11Error) return error
  throw error
}

function recoveryFor({ code, returnValue }: Pkcs11Error): Recovery {
  if (isFinal(code)) return 'stop'
  if (returnValue !== undefined) return recoveryOf(returnValue)
  return code === 'pkcs11-busy' ? 'wait' : 'restart'
}
