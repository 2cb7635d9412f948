import { isConfirmation, type Confirmation } from './confirmation.ts'

/** Most actors that one token may name. */
export const maxActors = 4

/** Who acts, and through whom before: the newest actor is outermost (RFC 8693 §4.1). */
export interface ActorClaim {
  readonly sub: string
  readonly act?: ActorClaim
}

/** Who alone may become an actor (RFC 8693 §4.4). */
export interface MayActClaim {
  readonly sub: string
  readonly iss?: string
}

/** A token that a delegated one descends from: it dies with it, and with its holder. */
export interface ParentToken {
  /** SPIFFE ID of the holder, to whom it was issued. */
  readonly client_id: string
  readonly jti: string
  /** What it was bound to. */
  readonly cnf: Confirmation
}

/** The claims of an access token that speak of delegation. */
export interface DelegationClaims {
  readonly act?: ActorClaim
  readonly may_act?: MayActClaim
  /** Newest first, one for each actor. */
  readonly parents?: readonly ParentToken[]
}

/**
 * The actors of a token as SPIFFE IDs, the newest first.
 *
 * @see RFC 8693 §4.1
 */
export function actorsOf({ act }: Pick<DelegationClaims, 'act'>): string[] {
  const actors: string[] = []
  for (let one = act; one !== undefined; one = one.act) actors.push(one.sub)
  return actors
}

/** The chain with one more actor around it. */
export function nestActor(sub: string, earlier: ActorClaim | undefined): ActorClaim {
  return earlier === undefined ? { sub } : { sub, act: earlier }
}

/**
 * Whether the token lets this actor act for its subject. Without `may_act` it lets nobody: a token that was stolen is of
 * no use to an agent that its holder did not name. A `may_act` with a member that is not known here names somebody by
 * what cannot be held against anything, and so nobody.
 *
 * @param actor SPIFFE ID
 * @see RFC 8693 §4.4
 */
export function mayAct(
  { may_act: allowed }: Pick<DelegationClaims, 'may_act'>,
  actor: string,
  issuer: string,
): boolean {
  if (allowed === undefined) return false
  const isKnown = Object.keys(allowed).every(name => name === 'sub' || name === 'iss')
  return isKnown && allowed.sub === actor && (allowed.iss ?? issuer) === issuer
}

/** Whether what a payload says of delegation has its form: as many parents as actors, and not more than may be. */
export function isDelegation(payload: Readonly<Record<string, unknown>>): boolean {
  const { act, parents, may_act: allowed } = payload
  if (allowed !== undefined && !(isObject(allowed) && typeof allowed['sub'] === 'string'))
    return false
  const depth = depthOf(act)
  const links = parents === undefined ? [] : parents
  return Array.isArray(links) && links.length === depth && (links as unknown[]).every(isParent)
}

/** -1 for what is no chain, or too long for one. */
function depthOf(act: unknown): number {
  let [depth, one] = [0, act]
  while (one !== undefined) {
    if (!isObject(one) || typeof one['sub'] !== 'string' || depth === maxActors) return -1
    depth += 1
    one = one['act']
  }
  return depth
}

function isParent(value: unknown): boolean {
  if (!isObject(value) || !isConfirmation(value['cnf'])) return false
  return typeof value['client_id'] === 'string' && typeof value['jti'] === 'string'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
