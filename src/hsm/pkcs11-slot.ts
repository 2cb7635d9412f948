import type { Handle, PKCS11, TokenInfo } from 'pkcs11js'
import { CKF } from './pkcs11-constants.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import type { LocatedToken } from './pkcs11-messages.ts'
import type { Pkcs11Uri } from './pkcs11-uri.ts'

/**
 * Finds the one initialised token that fits the URI.
 *
 * @throws Pkcs11Error `pkcs11-token-absent`, `pkcs11-token-ambiguous`
 */
export function findToken(
  module: PKCS11,
  uri: Pkcs11Uri,
): { readonly slot: Handle; readonly token: LocatedToken } {
  const tokens = module
    .C_GetSlotList(true)
    .map(slot => ({ slot, info: module.C_GetTokenInfo(slot) }))
    .filter(({ slot, info }) => isMeant(slot, info, uri))
  const [found, ...others] = tokens
  if (found === undefined)
    throw new Pkcs11Error('pkcs11-token-absent', { expected: uri.token ?? uri.modulePath })
  if (others.length > 0)
    throw new Pkcs11Error('pkcs11-token-ambiguous', { found: `${tokens.length} tokens` })
  return { slot: found.slot, token: describeToken(found.slot, found.info) }
}

function describeToken(slot: Handle, info: TokenInfo): LocatedToken {
  const { flags, manufacturerID, model, serialNumber, label } = info
  const names = [manufacturerID, model, serialNumber, label].map(unpadded)
  return {
    // Without serial and label only the slot tells two tokens of a make apart.
    identity: JSON.stringify(names[2] === '' && names[3] === '' ? [slotNumber(slot)] : names),
    isLoginRequired: (flags & CKF.LOGIN_REQUIRED) !== 0,
    hasPad: (flags & CKF.PROTECTED_AUTHENTICATION_PATH) !== 0,
    isLocked: (flags & (CKF.USER_PIN_LOCKED | CKF.USER_PIN_FINAL_TRY)) !== 0,
  }
}

/** PKCS #11 v3.0 §3.2: padded with blanks, not terminated. */
function unpadded(text: string): string {
  return text.replace(/[ \0]+$/, '')
}

function isMeant(slot: Handle, info: TokenInfo, uri: Pkcs11Uri): boolean {
  const pairs = [
    [uri.token, info.label],
    [uri.manufacturer, info.manufacturerID],
    [uri.serial, info.serialNumber],
    [uri.model, info.model],
  ] as const
  const isNamed = pairs.every(
    ([wanted, found]) => wanted === undefined || wanted === unpadded(found),
  )
  const isSlot = uri.slotId === undefined || uri.slotId === slotNumber(slot)
  return isNamed && isSlot && (info.flags & CKF.TOKEN_INITIALIZED) !== 0
}

/** A CK_SLOT_ID as pkcs11js hands it over: the machine's own unsigned long. */
function slotNumber(slot: Handle): number {
  return slot.length === 8 ? Number(slot.readBigUInt64LE()) : slot.readUInt32LE()
}
