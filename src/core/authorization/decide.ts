import { statefulIsAuthorized, type AuthorizationAnswer } from '@cedar-policy/cedar-wasm/nodejs'
import { encodeCanonicalJson } from '../log/canonical-json.ts'
import { encodeCedarRequest } from './cedar-request.ts'
import { encodePrincipal, type Circumstances, type DecisionInput } from './decision-input.ts'
import {
  allowedDecision,
  applyDecision,
  deniedDecision,
  failedDecision,
  type Answer,
  type Decision,
} from './decision.ts'
import type { AuthorizationPolicy } from './policy.ts'
import type { AuthorizationPolicySet } from './policy-set.ts'
import { preparsedName } from './preparsed.ts'
import { messageOf } from './schema.ts'
import { Slices, type SlicePart } from './slice.ts'

/** Which policies of a part are satisfied: of permits only as far as none forbids. */
interface Satisfied {
  readonly permits: readonly AuthorizationPolicy[]
  readonly forbids: readonly AuthorizationPolicy[]
  /** Why it could not be found out; none where it could. */
  readonly errors: readonly string[]
}

const capacity = 10_000

/**
 * Decides inputs under one set of policies. Which policies are satisfied follows from them and the input alone, so what was
 * found is remembered by all that they can read: of the context the members that they name, and the principal whole. Nothing
 * has to be forgotten when something changes: it is then another input.
 */
export class Decider {
  readonly set: AuthorizationPolicySet
  readonly #slices: Slices
  readonly #found = new Map<string, Satisfied>()

  constructor(set: AuthorizationPolicySet) {
    this.set = set
    this.#slices = new Slices(set)
  }

  /** Never throws: what cannot be evaluated is `failed`, and that denies. */
  decide(input: DecisionInput): Answer {
    return applyDecision(this.#decisionOf(input), input.context)
  }

  #decisionOf(input: DecisionInput): Decision {
    try {
      const found = this.#slices.of(input).map(part => this.#find(part, input))
      const errors = found.flatMap(part => part.errors)
      if (errors.length > 0) return failedDecision(errors)
      const forbids = found.flatMap(part => part.forbids)
      if (forbids.length > 0) return deniedDecision(forbids)
      return allowedDecision(
        found.flatMap(part => part.permits),
        input.audience,
      )
    } catch (cause) {
      return failedDecision([String(cause)])
    }
  }

  #find(part: SlicePart, input: DecisionInput): Satisfied {
    const key = keyOf(part, input)
    return this.#found.get(key) ?? this.#remember(key, this.#evaluate(part, input))
  }

  #evaluate(part: SlicePart, input: DecisionInput): Satisfied {
    const answer = statefulIsAuthorized({
      ...encodeCedarRequest(input),
      preparsedSchemaName: this.set.schema.id,
      validateRequest: true,
      preparsedPolicySetId: preparsedName(part.key, () =>
        Object.fromEntries(part.policies.map(({ id, text }) => [id, text])),
      ),
    })
    return satisfiedBy(answer, part)
  }

  #remember(key: string, found: Satisfied): Satisfied {
    // What failed may be a moment's trouble of the engine, and is to be seen each time.
    if (found.errors.length > 0) return found
    if (this.#found.size >= capacity) this.#found.clear()
    this.#found.set(key, found)
    return found
  }
}

/** A warning is an error here: a decision has nothing uncertain about it. */
function satisfiedBy(answer: AuthorizationAnswer, part: SlicePart): Satisfied {
  if (answer.type === 'failure') return unknown([messageOf(answer.errors)])
  const { decision, diagnostics } = answer.response
  const errors = diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${error.message}`)
  if (errors.length > 0 || answer.warnings.length > 0)
    return unknown([...errors, ...answer.warnings.map(({ message }) => message)])
  const policies = part.policies.filter(({ id }) => diagnostics.reason.includes(id))
  return decision === 'allow'
    ? { permits: policies, forbids: [], errors }
    : { permits: [], forbids: policies, errors }
}

function unknown(errors: readonly string[]): Satisfied {
  return { permits: [], forbids: [], errors }
}

/** All that the policies of a part can read of an input, in one text. */
function keyOf(part: SlicePart, { action, principal, audience, context }: DecisionInput): string {
  const read = encodeCanonicalJson(contextRead(context, part.reads))
  const who = part.readsPrincipal ? encodePrincipal(principal) : principal.kind
  return [part.key, action, audience, read, who].join('\n')
}

function contextRead(context: Circumstances, reads: SlicePart['reads']): Partial<Circumstances> {
  if (reads === null) return context
  return Object.fromEntries(Object.entries(context).filter(([name]) => reads.has(name)))
}
