/**
 * What is done about a return value.
 *
 * - `reopen`: the sessions or handles are gone: new sessions, the known PIN again, the key looked up again; tried once
 *   for the caller who met it.
 * - `restart`: the token or its library is gone: the signer is down, the process that holds the library is replaced,
 *   and the token is tried again until it signs.
 * - `wait`: the token is there and cannot do this now: the caller is told so, nothing is replaced.
 * - `stop`: trying again would do harm or change nothing: down until an operator starts the service anew.
 */
export type Recovery = 'reopen' | 'restart' | 'wait' | 'stop'

/** By name of the return value, PKCS #11 v3.0 §5.1. */
const table: Readonly<Record<string, Recovery>> = {
  CKR_SESSION_HANDLE_INVALID: 'reopen',
  CKR_SESSION_CLOSED: 'reopen',
  CKR_OBJECT_HANDLE_INVALID: 'reopen',
  CKR_KEY_HANDLE_INVALID: 'reopen',
  CKR_USER_NOT_LOGGED_IN: 'reopen',
  CKR_OPERATION_ACTIVE: 'reopen',
  CKR_OPERATION_NOT_INITIALIZED: 'reopen',
  CKR_FUNCTION_CANCELED: 'reopen',
  CKR_CRYPTOKI_NOT_INITIALIZED: 'restart',
  CKR_DEVICE_REMOVED: 'restart',
  CKR_DEVICE_ERROR: 'restart',
  CKR_TOKEN_NOT_PRESENT: 'restart',
  CKR_TOKEN_NOT_RECOGNIZED: 'restart',
  CKR_SLOT_ID_INVALID: 'restart',
  CKR_GENERAL_ERROR: 'restart',
  CKR_FUNCTION_FAILED: 'restart',
  CKR_HOST_MEMORY: 'restart',
  CKR_MUTEX_BAD: 'restart',
  CKR_MUTEX_NOT_LOCKED: 'restart',
  CKR_DEVICE_MEMORY: 'wait',
  CKR_SESSION_COUNT: 'wait',
  CKR_PIN_INCORRECT: 'stop',
  CKR_PIN_INVALID: 'stop',
  CKR_PIN_LEN_RANGE: 'stop',
  CKR_PIN_EXPIRED: 'stop',
  CKR_PIN_LOCKED: 'stop',
  CKR_USER_PIN_NOT_INITIALIZED: 'stop',
  CKR_USER_TYPE_INVALID: 'stop',
  CKR_KEY_FUNCTION_NOT_PERMITTED: 'stop',
  CKR_KEY_TYPE_INCONSISTENT: 'stop',
  CKR_MECHANISM_INVALID: 'stop',
}

/** The row of a return value; one that is not in the table, a vendor's own above all, is taken for a broken token. */
export function recoveryOf(returnValue: string): Recovery {
  return table[returnValue] ?? 'restart'
}

/** The return values that have a row. */
export const knownReturnValues: readonly string[] = Object.keys(table)
