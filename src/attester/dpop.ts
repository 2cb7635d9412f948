import { createHash } from 'node:crypto'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import { encodeHeader, encodeSigningInput } from '../core/jose/jws.ts'
import type { ClientKey } from './client-key.ts'

/** What one proof is for. */
export interface ProofRequest {
  readonly method: string
  /** The URL of the request; query and fragment are left out of the proof. */
  readonly url: string
  /** The token that goes with it; none at the token endpoint. */
  readonly accessToken?: string | undefined
  /** The server's nonce, where it gave one. */
  readonly nonce?: string | undefined
}

/** What a proof takes from outside: time and chance. */
export interface ProofSources {
  readonly clock: { now(): number }
  readonly random: { bytes(length: number): Uint8Array }
}

/**
 * A DPoP proof by the key, for one request: a JWS in compact form. One signature of the key.
 *
 * @see RFC 9449 §4.2
 */
export async function createDpopProof(
  key: ClientKey,
  { method, url, accessToken, nonce }: ProofRequest,
  { clock, random }: ProofSources,
): Promise<string> {
  const { origin, pathname } = new URL(url)
  const input = encodeSigningInput(
    encodeHeader({ typ: 'dpop+jwt', alg: key.algorithm, jwk: key.jwk }),
    {
      jti: encodeBase64url(random.bytes(16)),
      htm: method,
      htu: `${origin}${pathname}`,
      iat: Math.floor(clock.now() / 1000),
      ...(accessToken === undefined ? {} : { ath: tokenHash(accessToken) }),
      ...(nonce === undefined ? {} : { nonce }),
    },
  )
  return `${input}.${encodeBase64url(await key.sign(Buffer.from(input, 'latin1')))}`
}

/** RFC 9449 §4.2, `ath`: base64url of the SHA-256 of the token's ASCII. */
function tokenHash(accessToken: string): string {
  return encodeBase64url(createHash('sha256').update(accessToken).digest())
}
