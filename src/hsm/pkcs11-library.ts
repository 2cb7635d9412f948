import { PKCS11, type Handle } from 'pkcs11js'
import { readAttribute } from './pkcs11-attributes.ts'
import { CKA, CKF, CKU_USER, kinds, type KeyKind } from './pkcs11-constants.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import { describeKey, type KeyDescription } from './pkcs11-description.ts'
import type { LocatedToken, OpenedKey } from './pkcs11-messages.ts'
import { destroyKey, findKey, findKeyOfPoint, generateKey } from './pkcs11-object.ts'
import { findToken } from './pkcs11-slot.ts'
import type { Pkcs11Uri } from './pkcs11-uri.ts'

interface HeldKey {
  readonly privateKey: Handle
  readonly kind: KeyKind
}

/** Longest signature: two coordinates of P-384. */
const longestSignature = 2 * 48

/**
 * A PKCS#11 library in this process, and the one token that is used of it: a session that holds the login, and sessions
 * that sign, as many as sign at once. Lives in a process of its own, see `pkcs11-process.ts`.
 */
export class Pkcs11Library {
  readonly #module: PKCS11
  readonly #idle: Handle[] = []
  readonly #keys = new Map<number, HeldKey>()
  #slot: Handle | undefined
  /** PKCS #11 v3.0 §5.6.8: the login lasts as long as one session does. */
  #anchor: Handle | undefined
  #count = 0

  private constructor(module: PKCS11) {
    this.#module = module
  }

  /** @throws Pkcs11Error `pkcs11-module` */
  static load(modulePath: string): Pkcs11Library {
    const module = new PKCS11()
    try {
      module.load(modulePath)
    } catch (cause) {
      const found = cause instanceof Error ? cause.message.slice(0, 200) : ''
      throw new Pkcs11Error('pkcs11-module', { expected: modulePath, found, cause })
    }
    module.C_Initialize({ flags: CKF.OS_LOCKING_OK })
    return new Pkcs11Library(module)
  }

  /** Finds the token that every later call is about. */
  locate(uri: Pkcs11Uri): LocatedToken {
    const { slot, token } = findToken(this.#module, uri)
    this.#slot = slot
    return token
  }

  /** Logs in. Whether that may be tried is the caller's to know: it is told nothing here. */
  logIn(pin: string | undefined): void {
    this.#anchor ??= this.#openSession()
    try {
      this.#module.C_Login(this.#anchor, CKU_USER, pin)
    } catch (error) {
      if (!nameOf(error).startsWith('CKR_USER_ALREADY_LOGGED_IN')) throw error
    }
  }

  create(uri: Pkcs11Uri, kind: KeyKind): void {
    this.#alone(session => generateKey(this.#module, session, uri, kind))
  }

  destroy(uri: Pkcs11Uri): void {
    this.#alone(session => destroyKey(this.#module, session, uri))
  }

  /** Looks a key up. The number stands for it from then on. */
  open(uri: Pkcs11Uri): OpenedKey {
    const session = this.#takeSession()
    const { privateKey, kind, point } =
      uri.point === undefined
        ? findKey(this.#module, session, uri)
        : findKeyOfPoint(this.#module, session, uri.point)
    this.#idle.push(session)
    this.#count += 1
    this.#keys.set(this.#count, { privateKey, kind })
    return { key: this.#count, kind, point }
  }

  /** Reads what there is to be read of a key and its token. */
  describe(number: number): KeyDescription {
    const { privateKey } = this.#held(number)
    if (this.#slot === undefined) throw new TypeError('a key that is held is of a token')
    const session = this.#takeSession()
    const info = this.#module.C_GetTokenInfo(this.#slot)
    const description = describeKey(this.#module, session, privateKey, info)
    this.#idle.push(session)
    return description
  }

  /** Signs in a session of its own; as many at once as are asked for. */
  async sign(number: number, data: Uint8Array): Promise<Uint8Array> {
    const { privateKey, kind } = this.#held(number)
    const session = this.#takeSession()
    try {
      this.#module.C_SignInit(session, { mechanism: kinds[kind].mechanism }, privateKey)
      const room = Buffer.alloc(longestSignature)
      const signature = await this.#module.C_SignAsync(session, Buffer.from(data), room)
      this.#idle.push(session)
      return signature
    } catch (error) {
      // Whatever became of it, an operation may hang in this session.
      this.#drop(session)
      throw error
    }
  }

  /** Asks the token for something small of session and key. */
  probe(number: number): void {
    const { privateKey } = this.#held(number)
    const session = this.#takeSession()
    try {
      this.#module.C_GetSessionInfo(session)
      if (readAttribute(this.#module, session, privateKey, CKA.SIGN) === undefined)
        throw new Pkcs11Error('pkcs11-failed', { expected: 'CKA_SIGN' })
      this.#idle.push(session)
    } catch (error) {
      this.#drop(session)
      throw error
    }
  }

  /** Gives up sessions and keys, and with the last session the login. */
  reset(): void {
    for (const session of this.#idle.splice(0)) this.#drop(session)
    if (this.#anchor !== undefined) this.#drop(this.#anchor)
    this.#anchor = undefined
    this.#keys.clear()
  }

  finish(): void {
    this.#module.C_Finalize()
    this.#module.close()
  }

  #held(number: number): HeldKey {
    const key = this.#keys.get(number)
    if (key === undefined)
      throw new Pkcs11Error('pkcs11-failed', { found: 'a key that was closed' })
    return key
  }

  /** In a session that may write, for this one act. */
  #alone(act: (session: Handle) => void): void {
    const session = this.#openSession(CKF.RW_SESSION)
    try {
      act(session)
    } finally {
      this.#drop(session)
    }
  }

  #takeSession(): Handle {
    return this.#idle.pop() ?? this.#openSession()
  }

  #openSession(flags = 0): Handle {
    if (this.#slot === undefined)
      throw new Pkcs11Error('pkcs11-failed', { expected: 'a token that was found' })
    return this.#module.C_OpenSession(this.#slot, CKF.SERIAL_SESSION | flags)
  }

  #drop(session: Handle): void {
    try {
      this.#module.C_CloseSession(session)
    } catch {
      // It is gone, which is what was wanted.
    }
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}
