import { Decider } from '../core/authorization/decide.ts'
import { AuthorizationPolicySet, canonicalPolicies } from '../core/authorization/policy-set.ts'
import type { AuthorizationSchema } from '../core/authorization/schema.ts'
import type { Clock } from '../ports/clock.ts'
import type { PolicyActivation, PolicyRecord } from '../ports/records.ts'
import type { Store } from '../ports/store.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import { readMarks, type Marks } from './marks.ts'

/** What decides now. */
export interface ActiveAuthorization {
  readonly decider: Decider
  readonly activation: PolicyActivation
  readonly marks: Marks
}

/** What a directory stands on. */
export interface AuthorizationBasis {
  readonly store: Pick<Store, 'authorizationPolicies' | 'marks'>
  readonly clock: Clock
  readonly schema: AuthorizationSchema
  /** The policies that a service begins with, text. */
  readonly starter: string
}

const keepMs = 2_000

/**
 * The policies in force and what operators wrote down, held ready for the hot path. What this process changes counts at
 * once; what another one changes, after two seconds at most.
 */
export class AuthorizationDirectory {
  readonly schema: AuthorizationSchema
  readonly #basis: AuthorizationBasis
  #decider: Decider | undefined
  #kept: { readonly active: Promise<ActiveAuthorization>; readonly until: number } | undefined

  constructor(basis: AuthorizationBasis) {
    this.schema = basis.schema
    this.#basis = basis
  }

  /**
   * A service that has no policies yet begins with its starter set.
   *
   * @throws AuthorizationError where the set in force does not hold under this version's schema
   */
  async active(): Promise<ActiveAuthorization> {
    const now = this.#basis.clock.now()
    if (this.#kept !== undefined && this.#kept.until > now) return this.#kept.active
    const active = this.#load()
    this.#kept = { active, until: now + keepMs }
    // What could not be read is asked for anew by the next one.
    active.catch(() => this.forget())
    return active
  }

  /** For whoever changed something. */
  forget(): void {
    this.#kept = undefined
  }

  /**
   * Follows the starter set for as long as nobody but the service has activated one: another text is a new version. From
   * the first activation by an operator on, or by whoever recovered the policies, it has no more say.
   */
  async followStarter(): Promise<ActiveAuthorization> {
    const { decider, activation } = await this.active()
    const text = canonicalPolicies(this.#basis.starter)
    if (activation.by !== 'service' || decider.set.text === text) return this.active()
    const last = (await this.#basis.store.authorizationPolicies.list()).at(-1)?.version ?? 0
    await this.#establish(last + 1, activation.sequence + 1)
    this.forget()
    return this.active()
  }

  async #load(): Promise<ActiveAuthorization> {
    const { store } = this.#basis
    const found = (await store.authorizationPolicies.findActive()) ?? (await this.#begin())
    const marks = readMarks(await store.marks.load())
    return { decider: this.#deciderOf(found.policy), activation: found.activation, marks }
  }

  async #begin(): Promise<{ policy: PolicyRecord; activation: PolicyActivation }> {
    await this.#establish(1, 1)
    const found = await this.#basis.store.authorizationPolicies.findActive()
    if (found === undefined) throw new ServiceError('policy-conflict')
    return found
  }

  /** A set is read once; what it decided is forgotten with it. */
  #deciderOf({ document, version }: PolicyRecord): Decider {
    const { set } = this.#decider ?? {}
    if (this.#decider !== undefined && set?.version === version && set.text === document)
      return this.#decider
    this.#decider = new Decider(AuthorizationPolicySet.prepare(document, version, this.schema))
    return this.#decider
  }

  /** Somebody else may be doing the same at this moment: who comes first counts, and it is the same set. */
  async #establish(version: number, sequence: number): Promise<void> {
    const { store, clock, starter, schema } = this.#basis
    const { id, text } = AuthorizationPolicySet.prepare(canonicalPolicies(starter), version, schema)
    const at = clock.now()
    const subject = `authorization/${version}`
    const detail = { policy: id, schema: schema.id, from: 'starter' }
    await store.authorizationPolicies.add(
      { version, id, document: text, createdAt: at, createdBy: 'service' },
      auditEntry({ clock }, 'authorization.proposed', 'service', subject, detail),
    )
    await store.authorizationPolicies.activate(
      { sequence, version, at, by: 'service', jws: null },
      auditEntry({ clock }, 'authorization.activated', 'service', subject, detail),
    )
  }
}
