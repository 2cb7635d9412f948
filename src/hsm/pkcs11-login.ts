import { Pkcs11Error } from './pkcs11-error.ts'
import type { LocatedToken } from './pkcs11-messages.ts'

interface Accepted {
  readonly pin: string | undefined
}

/** What came of the attempts on each token since this process began; a token locks itself after a few wrong ones. */
const attempts = new Map<string, Accepted | Pkcs11Error>()

/**
 * Logs in to a token, and holds to this: one attempt with a PIN that is not known to be right, in the life of this
 * process. A PIN that the token took may be shown to it again, after it was removed or its sessions were lost; a refusal
 * ends all attempts, and so does an attempt that was never answered.
 *
 * @param tell makes the attempt
 * @throws Pkcs11Error `pkcs11-pin-absent`, `pkcs11-pin-wrong`, `pkcs11-pin-locked`, `pkcs11-failed`
 */
export async function logInOnce(
  token: LocatedToken & { readonly modulePath: string },
  pin: string | undefined,
  tell: (pin: string | undefined) => Promise<unknown>,
): Promise<void> {
  if (!token.isLoginRequired) return
  const name = `${token.modulePath}\n${token.identity}`
  const before = attempts.get(name)
  if (before instanceof Pkcs11Error) throw before
  // PKCS #11 v3.0 §5.6.8: no PIN is given where the token has a pad of its own.
  const shown = token.hasPad ? undefined : pin
  if (!token.hasPad && shown === undefined) throw new Pkcs11Error('pkcs11-pin-absent')
  if (before !== undefined && before.pin !== shown)
    throw new Pkcs11Error('pkcs11-pin-wrong', { found: 'another PIN than the token took before' })
  if (token.isLocked) throw new Pkcs11Error('pkcs11-pin-locked')
  // Before the attempt, so that one without an answer is not followed by another.
  if (before === undefined) attempts.set(name, unanswered())
  try {
    await tell(shown)
    attempts.set(name, { pin: shown })
  } catch (error) {
    const refusal = refusalOf(error)
    if (before === undefined || isRefusal(refusal)) attempts.set(name, refusal)
    throw refusal
  }
}

function unanswered(): Pkcs11Error {
  return new Pkcs11Error('pkcs11-failed', {
    found: 'C_Login: the token has not answered, and is not asked again before the next start',
  })
}

function isRefusal({ code }: Pkcs11Error): boolean {
  return code === 'pkcs11-pin-wrong' || code === 'pkcs11-pin-locked'
}

function refusalOf(error: unknown): Pkcs11Error {
  if (!(error instanceof Pkcs11Error)) throw error
  const { returnValue = '' } = error
  const facts = { found: returnValue }
  if (returnValue === 'CKR_PIN_LOCKED')
    return new Pkcs11Error('pkcs11-pin-locked', facts, returnValue)
  if (/^CKR_(PIN_|USER_PIN_)/.test(returnValue))
    return new Pkcs11Error('pkcs11-pin-wrong', facts, returnValue)
  return error
}
