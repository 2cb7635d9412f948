import type { Circumstances } from './decision-input.ts'
import type { AuthorizationPolicy } from './policy.ts'

/** What a permit leaves of what was asked for. Null is no limit. */
export interface Narrowing {
  readonly maxLifetimeSeconds: number | null
  readonly scopes: readonly string[] | null
}

/** What the policies say of an input. */
export interface Decision {
  /** `failed` denies as well: something could not be evaluated. */
  readonly outcome: 'allow' | 'deny' | 'failed'
  /** Ids of the policies that decided, sorted; none where no permit applied. */
  readonly policies: readonly string[]
  /** Why it failed. */
  readonly errors: readonly string[]
  readonly narrowing: Narrowing
}

/** A decision applied to what was asked for. */
export interface Answer extends Omit<Decision, 'narrowing'> {
  /** What is left of it; null unless it is allowed. */
  readonly granted: { readonly scopes: readonly string[]; readonly lifetimeSeconds: number } | null
}

const unlimited: Narrowing = { maxLifetimeSeconds: null, scopes: null }

/**
 * Cuts what was asked for to what the policies leave of it: never more scopes, never longer. Where scopes were asked for
 * and none is left, that is a denial.
 */
export function applyDecision(
  { narrowing, ...decision }: Decision,
  { scopes, lifetimeSeconds }: Circumstances,
): Answer {
  if (decision.outcome !== 'allow') return { ...decision, granted: null }
  const left = scopes.filter(scope => narrowing.scopes?.includes(scope) !== false)
  if (left.length === 0 && scopes.length > 0) return { ...decision, outcome: 'deny', granted: null }
  const longest = narrowing.maxLifetimeSeconds ?? lifetimeSeconds
  return {
    ...decision,
    granted: { scopes: left, lifetimeSeconds: Math.min(lifetimeSeconds, longest) },
  }
}

/** A decision that something could not be evaluated. */
export function failedDecision(errors: readonly string[]): Decision {
  const shown = errors.slice(0, 4).map(error => error.replaceAll(/\s+/g, ' ').slice(0, 300))
  return { outcome: 'failed', policies: [], errors: shown, narrowing: unlimited }
}

/** A denial, by the policies that forbid; by none where nothing permits. */
export function deniedDecision(policies: readonly AuthorizationPolicy[]): Decision {
  return answerOf('deny', policies)
}

/**
 * What several permits leave together: each narrows, so the least lifetime and the scopes that all of them name. A permit
 * with `@audiences` counts for those alone.
 */
export function allowedDecision(
  permits: readonly AuthorizationPolicy[],
  audience: string,
): Decision {
  const counting = permits.filter(({ audiences }) => audiences?.includes(audience) !== false)
  if (counting.length === 0) return deniedDecision([])
  const narrowing = {
    maxLifetimeSeconds: leastOf(counting.map(permit => permit.maxLifetimeSeconds)),
    scopes: sharedBy(counting.map(permit => permit.scopes)),
  }
  return { ...answerOf('allow', counting), narrowing }
}

function answerOf(outcome: 'allow' | 'deny', policies: readonly AuthorizationPolicy[]): Decision {
  const ids = policies.map(({ id }) => id).sort()
  return { outcome, policies: ids, errors: [], narrowing: unlimited }
}

function leastOf(limits: readonly (number | null)[]): number | null {
  const least = Math.min(...limits.filter(limit => limit !== null))
  return least === Infinity ? null : least
}

function sharedBy(lists: readonly (readonly string[] | null)[]): readonly string[] | null {
  const [first, ...rest] = lists.filter(list => list !== null)
  return first?.filter(scope => rest.every(list => list.includes(scope))) ?? null
}
