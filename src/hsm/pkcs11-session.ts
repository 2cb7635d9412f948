import type { Handle, PKCS11, TokenInfo } from 'pkcs11js'
import { CKF, CKU_USER } from './pkcs11-constants.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import type { Pkcs11Uri } from './pkcs11-uri.ts'

/** Tokens that were logged in to, or refused to be, by slot: a token is asked once a start. */
export type Logins = Map<string, 'done' | Pkcs11Error>

/**
 * Opens a session with the one token that fits the URI, logged in.
 *
 * @throws Pkcs11Error `pkcs11-token-absent`, `pkcs11-token-ambiguous`, `pkcs11-pin-…`, `pkcs11-failed`
 */
export function openSession(
  module: PKCS11,
  logins: Logins,
  { uri, pin, writable }: { uri: Pkcs11Uri; pin: string | undefined; writable: boolean },
): Handle {
  const { slot, info } = findToken(module, uri)
  const session = module.C_OpenSession(slot, CKF.SERIAL_SESSION | (writable ? CKF.RW_SESSION : 0))
  try {
    logInOnce(module, logins, { session, slot, info, pin })
    return session
  } catch (error) {
    module.C_CloseSession(session)
    throw error
  }
}

function findToken(module: PKCS11, uri: Pkcs11Uri): { slot: Handle; info: TokenInfo } {
  const tokens = module
    .C_GetSlotList(true)
    .map(slot => ({ slot, info: module.C_GetTokenInfo(slot) }))
    .filter(({ slot, info }) => isMeant(slot, info, uri))
  const [token, ...others] = tokens
  if (token === undefined)
    throw new Pkcs11Error('pkcs11-token-absent', { expected: uri.token ?? uri.modulePath })
  if (others.length > 0)
    throw new Pkcs11Error('pkcs11-token-ambiguous', { found: `${tokens.length} tokens` })
  return token
}

function isMeant(slot: Handle, info: TokenInfo, uri: Pkcs11Uri): boolean {
  const pairs = [
    [uri.token, info.label],
    [uri.manufacturer, info.manufacturerID],
    [uri.serial, info.serialNumber],
    [uri.model, info.model],
  ] as const
  const isNamed = pairs.every(
    // PKCS #11 v3.0 §3.2: padded with blanks, not terminated.
    ([wanted, found]) => wanted === undefined || wanted === found.replace(/[ \0]+$/, ''),
  )
  const isSlot = uri.slotId === undefined || uri.slotId === slotNumber(slot)
  return isNamed && isSlot && (info.flags & CKF.TOKEN_INITIALIZED) !== 0
}

/** A CK_SLOT_ID as pkcs11js hands it over: the machine's own unsigned long. */
function slotNumber(slot: Handle): number {
  return slot.length === 8 ? Number(slot.readBigUInt64LE()) : slot.readUInt32LE()
}

interface LoginRequest {
  readonly session: Handle
  readonly slot: Handle
  readonly info: TokenInfo
  readonly pin: string | undefined
}

/** One attempt a token and start, right or wrong: after a few wrong ones a token locks itself. */
function logInOnce(module: PKCS11, logins: Logins, request: LoginRequest): void {
  if ((request.info.flags & CKF.LOGIN_REQUIRED) === 0) return
  const name = request.slot.toString('hex')
  const known = logins.get(name)
  if (known === 'done') return
  if (known !== undefined) throw known
  requireAttempts(request.info)
  const pin = pinFor(request)
  try {
    module.C_Login(request.session, CKU_USER, pin)
    logins.set(name, 'done')
  } catch (cause) {
    const refusal = loginRefusal(cause)
    logins.set(name, refusal)
    throw refusal
  }
}

function requireAttempts({ flags }: TokenInfo): void {
  if ((flags & (CKF.USER_PIN_LOCKED | CKF.USER_PIN_FINAL_TRY)) !== 0)
    throw new Pkcs11Error('pkcs11-pin-locked')
}

/** PKCS #11 v3.0 §5.6.8: no PIN is given where the token has a pad of its own. */
function pinFor({ info, pin }: LoginRequest): string | undefined {
  if ((info.flags & CKF.PROTECTED_AUTHENTICATION_PATH) !== 0) return undefined
  if (pin === undefined) throw new Pkcs11Error('pkcs11-pin-absent')
  return pin
}

function loginRefusal(cause: unknown): Pkcs11Error {
  const name = cause instanceof Error ? cause.message : ''
  if (name.startsWith('CKR_PIN_LOCKED'))
    return new Pkcs11Error('pkcs11-pin-locked', { found: name })
  if (/^CKR_(PIN_|USER_PIN_)/.test(name))
    return new Pkcs11Error('pkcs11-pin-wrong', { found: name })
  return new Pkcs11Error('pkcs11-failed', { found: `C_Login: ${name.slice(0, 100)}` })
}
