import { parseJws, verifyJws, type ParsedJws } from '../jose/jws.ts'
import type { ProofKey } from '../token/proof-key.ts'
import { AppraisalError } from './error.ts'

/** `typ` of the JWS by which an operator puts a policy into force. */
export const activationType = 'assay-policy-activation+jwt'

/** The same for a set of authorization policies: a signature for one kind is none for the other. */
export const authorizationActivationType = 'assay-authorization-activation+jwt'

/** How far the operator's clock may be from ours. */
const windowSeconds = 300

/** What an operator signs: which policy, at which service, in place of which. */
export interface ActivationClaims {
  /** The service's issuer URL. */
  readonly aud: string
  /** Unix seconds. */
  readonly iat: number
  /** `sha256:` and the hex digest of the policy. */
  readonly policy: string
  readonly version: number
  /** The version in force that it replaces. */
  readonly replaces: number
}

/**
 * Verifies that the holder of a key puts just this policy into force, now, in place of the one that is.
 *
 * @param expected what the service knows: `now` in Unix milliseconds
 * @param type of the JWS: which kind of policy it is about
 * @throws AppraisalError `activation-malformed`, `activation-signature`, `activation-mismatch`, `activation-time`
 * @see RFC 7515 §5.2, RFC 8725 §3.11
 */
export function verifyActivation(
  compact: string,
  key: ProofKey,
  expected: Omit<ActivationClaims, 'iat'> & { readonly now: number },
  type: string = activationType,
): void {
  const jws = parseActivation(compact, type)
  verifySignature(jws, key)
  requireSame('aud', jws, expected.aud)
  requireSame('policy', jws, expected.policy)
  requireSame('version', jws, expected.version)
  requireSame('replaces', jws, expected.replaces)
  const { iat } = jws.payload
  if (typeof iat !== 'number' || Math.abs(iat - expected.now / 1000) > windowSeconds)
    throw new AppraisalError('activation-time', { expected: `an iat within ${windowSeconds} s` })
}

function parseActivation(compact: string, type: string): ParsedJws {
  let jws: ParsedJws
  try {
    jws = parseJws(compact)
  } catch (cause) {
    throw new AppraisalError('activation-malformed', { cause })
  }
  if (jws.header['typ'] !== type)
    throw new AppraisalError('activation-malformed', { expected: `typ ${type}` })
  return jws
}

function verifySignature(jws: ParsedJws, key: ProofKey): void {
  try {
    verifyJws(jws, key.key, key.algorithm)
  } catch (cause) {
    throw new AppraisalError('activation-signature', { cause })
  }
}

function requireSame(name: keyof ActivationClaims, jws: ParsedJws, value: string | number): void {
  if (jws.payload[name] === value) return
  const found = JSON.stringify(jws.payload[name])?.slice(0, 100) ?? 'nothing'
  throw new AppraisalError('activation-mismatch', { expected: `${name} ${value}`, found })
}
