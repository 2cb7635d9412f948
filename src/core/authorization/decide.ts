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
import { preparsedName } from './preparsed.ts'
import type { AuthorizationPolicySet } from './policy-set.ts'
import { messageOf } from './schema.ts'
import { Slices, type Slice } from './slice.ts'

const capacity = 10_000

/**
 * Decides inputs under one set of policies. A decision follows from its policies and its input alone, so one that was made
 * is remembered by all that its policies can read: the principal whole, and of the context what they name. Nothing has to
 * be forgotten when something changes: it is then another input.
 */
export class Decider {
  readonly set: AuthorizationPolicySet
  readonly #slices: Slices
  readonly #made = new Map<string, Decision>()

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
      const slice = this.#slices.of(input)
      const key = keyOf(slice, input)
      return this.#made.get(key) ?? this.#remember(key, this.#evaluate(slice, input))
    } catch (cause) {
      return failedDecision([String(cause)])
    }
  }

  #evaluate(slice: Slice, input: DecisionInput): Decision {
    const answer = statefulIsAuthorized({
      ...encodeCedarRequest(input),
      preparsedSchemaName: this.set.schema.id,
      validateRequest: true,
      preparsedPolicySetId: preparsedName(slice.key, () =>
        Object.fromEntries(slice.policies.map(({ id, text }) => [id, text])),
      ),
    })
    return decisionOf(answer, slice, input)
  }

  #remember(key: string, decision: Decision): Decision {
    // What failed may be a moment's trouble of the engine, and is to be seen each time.
    if (decision.outcome === 'failed') return decision
    if (this.#made.size >= capacity) this.#made.clear()
    this.#made.set(key, decision)
    return decision
  }
}

/** A warning is an error here: a decision has nothing uncertain about it. */
function decisionOf(
  answer: AuthorizationAnswer,
  slice: Slice,
  { audience }: DecisionInput,
): Decision {
  if (answer.type === 'failure') return failedDecision([messageOf(answer.errors)])
  const { decision, diagnostics } = answer.response
  const errors = diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${error.message}`)
  if (errors.length > 0 || answer.warnings.length > 0)
    return failedDecision([...errors, ...answer.warnings.map(({ message }) => message)])
  const policies = slice.policies.filter(({ id }) => diagnostics.reason.includes(id))
  return decision === 'allow' ? allowedDecision(policies, audience) : deniedDecision(policies)
}

/** All that the policies of a slice can read of an input, in one text. */
function keyOf(slice: Slice, { action, principal, audience, context }: DecisionInput): string {
  const read = contextRead(context, slice.reads)
  return [slice.key, action, audience, encodeCanonicalJson(read), encodePrincipal(principal)].join(
    '\n',
  )
}

function contextRead(context: Circumstances, reads: Slice['reads']): Partial<Circumstances> {
  if (reads === null) return context
  return Object.fromEntries(Object.entries(context).filter(([name]) => reads.has(name)))
}
