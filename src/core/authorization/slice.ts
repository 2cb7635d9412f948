import { createHash } from 'node:crypto'
import type { DecisionInput } from './decision-input.ts'
import type { AuthorizationPolicySet } from './policy-set.ts'
import { principalUid } from './cedar-request.ts'
import { matchesScope, uidsIn, uidText, type RequestScope } from './policy-scope.ts'
import type { AuthorizationPolicy } from './policy.ts'

/** Policies whose heads are true of a request, and what they can read of it. */
export interface SlicePart {
  /** The same for the same policies of the same set only. */
  readonly key: string
  readonly policies: readonly AuthorizationPolicy[]
  /** Members of the context that any of them reads; null where one may read all. */
  readonly reads: ReadonlySet<string> | null
  readonly readsPrincipal: boolean
}

/**
 * All policies that can decide a request, in parts. Which of them are satisfied is found for each part by itself, since
 * Cedar evaluates each policy by itself: so what reads the time, which is never the same for long, does not cost those
 * that do not their memory.
 */
export type Slice = readonly SlicePart[]

const capacity = 10_000

/** The slices of a set, each found once. */
export class Slices {
  readonly #set: AuthorizationPolicySet
  /** Entities that heads name; a request from anybody else is sliced by what it is, not by who. */
  readonly #named: ReadonlySet<string>
  readonly #known = new Map<string, Slice>()

  constructor(set: AuthorizationPolicySet) {
    this.#set = set
    this.#named = new Set(set.policies.flatMap(({ head }) => uidsIn(head.principal)))
  }

  of(input: DecisionInput): Slice {
    const scope = scopeOf(input)
    const who = uidText(scope.principal)
    const key = JSON.stringify([
      scope.action,
      this.#named.has(who) ? who : scope.principal.type,
      scope.agentClass,
      scope.audience,
    ])
    return this.#known.get(key) ?? this.#find(key, scope)
  }

  #find(key: string, scope: RequestScope): Slice {
    const slice = this.#partsOf(this.#set.policies.filter(({ head }) => matchesScope(head, scope)))
    if (this.#known.size >= capacity) this.#known.clear()
    this.#known.set(key, slice)
    return slice
  }

  /** The first part is there without policies too: in it every request is held against the schema. */
  #partsOf(policies: readonly AuthorizationPolicy[]): Slice {
    const timed = policies.filter(({ reads }) => reads?.has('time') !== false)
    const parts = [
      policies.filter(policy => !timed.includes(policy)),
      timed.filter(policy => !policy.readsPrincipal),
      timed.filter(policy => policy.readsPrincipal),
    ]
    return parts
      .filter((part, index) => index === 0 || part.length > 0)
      .map((part, index) => this.#partOf(part, index === 0))
  }

  #partOf(policies: readonly AuthorizationPolicy[], isFirst: boolean): SlicePart {
    const ids = createHash('sha256').update(policies.map(({ id }) => id).join(' '))
    return {
      key: `${this.#set.schema.id} ${this.#set.id} ${ids.digest('base64url')}`,
      policies,
      reads: readsOf(policies),
      readsPrincipal: isFirst || policies.some(policy => policy.readsPrincipal),
    }
  }
}

function scopeOf({ action, principal, audience }: DecisionInput): RequestScope {
  const agentClass = principal.kind === 'agent' ? principal.class.name : undefined
  return { action, principal: principalUid(principal), agentClass, audience }
}

function readsOf(policies: readonly AuthorizationPolicy[]): ReadonlySet<string> | null {
  if (policies.some(({ reads }) => reads === null)) return null
  return new Set(policies.flatMap(({ reads }) => [...(reads ?? [])]))
}
