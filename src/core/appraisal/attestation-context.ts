import { decodeBase64url } from '../bytes/base64url.ts'
import type { ChallengeFacts } from '../formats/evidence-format.ts'
import type { PlatformState } from './platform-state.ts'
import type { EndorsementKind } from './subject.ts'

/**
 * What the verifier knew and the Evidence does not hold, kept beside it so that it can be verified again. The secret of
 * the activation is spent: its one use was this answer.
 */
export interface AttestationContext {
  readonly audience: string
  readonly enrollmentId: string
  readonly name: string
  /** base64url, as `secret`. */
  readonly nonce: string
  readonly secret: string
  readonly pcrs: readonly number[]
  /** Unix milliseconds. */
  readonly challengedAt: number
  /** Null where the Evidence was refused before that was looked up. */
  readonly endorsementKind: EndorsementKind | null
  /** The platform's state that it was compared with. */
  readonly before: PlatformState | null
}

/** The context as it is kept. */
export function encodeAttestationContext(context: AttestationContext): string {
  return JSON.stringify(context)
}

/** Reads back what {@link encodeAttestationContext} wrote; the store holds nothing else. */
export function parseAttestationContext(json: string): AttestationContext {
  return JSON.parse(json) as AttestationContext
}

/** What the challenge asked and bound, of a context that was kept. */
export function challengeOf(context: AttestationContext): ChallengeFacts {
  return {
    audience: context.audience,
    enrollmentId: context.enrollmentId,
    nonce: decodeBase64url(context.nonce),
    secret: decodeBase64url(context.secret),
    pcrs: context.pcrs,
  }
}
