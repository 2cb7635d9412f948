import { createHash } from 'node:crypto'
import { encodeCanonicalJson } from '../core/log/canonical-json.ts'
import type { DecisionInput } from '../core/authorization/decision-input.ts'
import type { GrantRequestBinding } from '../ports/grant-requests.ts'
import type { ClientRecord } from '../ports/records.ts'

/** The one access token that a decision is a part of. */
export interface WantedToken {
  /** Of several each is decided on by itself, and approved by itself, for a token for all of them. */
  readonly audiences: readonly string[]
  /** SPIFFE ID of the agent that may exchange it. */
  readonly mayAct: string | undefined
}

/** Exactly what an agent asks for by a key; undefined for hosts and operators, who have nobody to ask. */
export function bindingOf(
  client: ClientRecord,
  { action, audience, context }: DecisionInput,
  details: readonly object[],
  token: WantedToken,
): GrantRequestBinding | undefined {
  if (client.kind !== 'agent') return undefined
  return {
    agentId: client.agent.id,
    jkt: client.key.jkt,
    action,
    audience,
    audiences: [...token.audiences].sort(),
    scopes: [...context.scopes].sort(),
    details: details.length === 0 ? null : encodeCanonicalJson(details),
    detailsDigest: context.detailsDigest,
    initiator: context.delegation.initiator,
    actors: context.delegation.actors,
    mayAct: token.mayAct ?? null,
  }
}

/** base64url SHA-256 of a binding in its one form: two requests with the same are the same. */
export function bindingDigest(binding: GrantRequestBinding): string {
  return createHash('sha256').update(encodeCanonicalJson(binding)).digest('base64url')
}
