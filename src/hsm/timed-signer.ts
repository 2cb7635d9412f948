import type { AuthorityKeys } from '../ports/authority.ts'
import type { ResponderKey } from '../ports/responder-key.ts'
import { SignerError } from '../ports/signer-error.ts'
import type { Signer } from '../ports/signer.ts'
import type { SigningOutcome, SigningTimes, TimedRole } from '../ports/signing-times.ts'
import type { TokenKeyPlaces } from '../ports/token-key.ts'

type Sign = Signer['sign']

/** Signs as before, at once where that did, and tells how long it took. */
export function timed(sign: Sign, role: TimedRole, times: SigningTimes): Sign {
  return message => {
    const begun = performance.now()
    const tell = (outcome: SigningOutcome): void =>
      times.observe(role, outcome, (performance.now() - begun) / 1000)
    try {
      const signature = sign(message)
      if (signature instanceof Promise) return awaited(signature, tell)
      tell('signed')
      return signature
    } catch (error) {
      tell(outcomeOf(error))
      throw error
    }
  }
}

async function awaited(
  signature: Promise<Uint8Array>,
  tell: (outcome: SigningOutcome) => void,
): Promise<Uint8Array> {
  try {
    const done = await signature
    tell('signed')
    return done
  } catch (error) {
    tell(outcomeOf(error))
    throw error
  }
}

function outcomeOf(error: unknown): SigningOutcome {
  if (!(error instanceof SignerError)) return 'failed'
  return error.code === 'signer-busy' ? 'busy' : 'down'
}

/** The keys of authorities, each signature timed. */
export function timedAuthorityKeys(keys: AuthorityKeys, times: SigningTimes): AuthorityKeys {
  return {
    ...keys,
    open: authority => {
      const signer = keys.open(authority)
      const sign: Sign = message => signer.sign(message)
      return { algorithm: signer.algorithm, sign: timed(sign, 'issuing', times) }
    },
  }
}

/** The keys of tokens, each signature timed. */
export function timedTokenKeys(places: TokenKeyPlaces, times: SigningTimes): TokenKeyPlaces {
  return {
    ...places,
    open: async key => {
      const signer = await places.open(key)
      const sign: Sign = message => signer.sign(message)
      const { algorithm, publicKey } = signer
      return { algorithm, publicKey, sign: timed(sign, 'token', times) }
    },
  }
}

/** A key that answers OCSP requests, each signature timed. */
export function timedResponderKey(
  { spki, signer }: ResponderKey,
  times: SigningTimes,
): ResponderKey {
  const sign: Sign = message => signer.sign(message)
  return { spki, signer: { algorithm: signer.algorithm, sign: timed(sign, 'responder', times) } }
}
