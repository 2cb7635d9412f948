import { createHmac, timingSafeEqual } from 'node:crypto'

/** How long one nonce is handed out; it is accepted for as long again (RFC 9449 §8.1 leaves the choice). */
export const nonceIntervalMs = 60_000

/**
 * The DPoP nonce of this minute: a keyed hash of the time, so that no node has to remember what it gave. 128 bits.
 *
 * @param secret 32 bytes, shared by the nodes of one service
 */
export function createNonce(secret: Uint8Array, now: number): string {
  return nonceOf(secret, Math.floor(now / nonceIntervalMs))
}

/** True for the nonce of this interval or the one before; compared in constant time. */
export function isNonce(secret: Uint8Array, nonce: string, now: number): boolean {
  const interval = Math.floor(now / nonceIntervalMs)
  return [interval, interval - 1].some(candidate => isEqual(nonceOf(secret, candidate), nonce))
}

/** What a Client Attestation PoP answers: made as the nonce is, and never good for one. */
const challengeKeys = new WeakMap<Uint8Array, Uint8Array>()

/**
 * The attestation challenge of this minute (draft-ietf-oauth-attestation-based-client-auth-10 §6).
 *
 * @param secret as for {@link createNonce}
 */
export function createChallenge(secret: Uint8Array, now: number): string {
  return createNonce(challengeKeyOf(secret), now)
}

/** As {@link isNonce}, for challenges. */
export function isChallenge(secret: Uint8Array, challenge: string, now: number): boolean {
  return isNonce(challengeKeyOf(secret), challenge, now)
}

function challengeKeyOf(secret: Uint8Array): Uint8Array {
  let key = challengeKeys.get(secret)
  if (key === undefined) {
    key = createHmac('sha256', secret).update('assay/attestation-challenge').digest()
    challengeKeys.set(secret, key)
  }
  return key
}

/** The nonces of the last intervals, by secret: each is asked for with every request, and a keyed hash is not cheap. */
const recent = new WeakMap<Uint8Array, Map<number, string>>()

function nonceOf(secret: Uint8Array, interval: number): string {
  let kept = recent.get(secret)
  if (kept === undefined || kept.size > 8) recent.set(secret, (kept = new Map()))
  let nonce = kept.get(interval)
  if (nonce === undefined) kept.set(interval, (nonce = computeNonce(secret, interval)))
  return nonce
}

function computeNonce(secret: Uint8Array, interval: number): string {
  return createHmac('sha256', secret)
    .update(`assay/dpop-nonce/${interval}`)
    .digest()
    .subarray(0, 16)
    .toString('base64url')
}

function isEqual(known: string, given: string): boolean {
  const left = Buffer.from(known)
  const right = Buffer.from(given)
  return left.length === right.length && timingSafeEqual(left, right)
}
