import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const cedar = 'Cedar 4.5'

const rows = {
  'authorization-syntax': {
    summary: 'The authorization policies cannot be read.',
    hint: 'Correct what is named above; `assay policy check FILE` tries again.',
    source: `${cedar} §Policy grammar`,
  },
  'authorization-schema': {
    summary: 'The schema of authorization policies cannot be read.',
    hint: 'Restore ca/authorization.cedarschema of this version.',
    source: `${cedar} §Schema grammar`,
  },
  'authorization-validation': {
    summary: 'A policy does not hold under the schema, or can never apply.',
    hint: 'Correct it: ca/authorization.cedarschema lists what policies can speak of.',
    source: `${cedar} §Validation`,
  },
  'authorization-template': {
    summary: 'A template stands where policies are expected.',
    hint: 'Write the policy out; there is nothing here that would link a template.',
    source: `${cedar} §Templates`,
  },
  'authorization-id': {
    summary: 'A policy has no @id, or one that another has.',
    hint: 'Give each policy an @id of its own of lower-case letters, digits and dashes: decisions name it.',
  },
  'authorization-annotation': {
    summary: 'An annotation is unknown here, or does not say what it should.',
    hint: 'Use @id, @description, @requestable ("once" or minutes); on a permit @maxLifetimeSeconds, @scopes, @audiences.',
  },
  'authorization-approval': {
    summary: 'What a policy says of approvals does not go together.',
    hint: 'Write both @requestable and context.approved, as in `@requestable("30") forbid (…) unless { context.approved };`, or neither; only access tokens of agents can be approved.',
  },
  'authorization-optional': {
    summary: 'A policy reads an attribute that may be absent without a test by `has` before it.',
    hint: 'Write `x has attribute && …`; Cedar skips a forbid whose evaluation fails.',
    source: `${cedar} §Authorization semantics`,
  },
  'authorization-literal': {
    summary: 'A policy reads an attribute of an entity that it names itself.',
    hint: 'Read attributes of principal, resource and context alone: no other entity is at hand when it decides.',
    source: `${cedar} §Authorization semantics`,
  },
  'authorization-overflow': {
    summary: 'A calculation of a policy can overflow.',
    hint: 'Compare without calculating, or keep factors small: Cedar skips a forbid that overflows.',
    source: `${cedar} §Long`,
  },
  'authorization-size': {
    summary: 'The policy set is larger than a service takes.',
    hint: 'Keep it under 1 MiB and 5,000 policies, and in each policy at most 50 open brackets, 1,000 operators, and 2,500 words and signs.',
  },
  'untrusted-reserved': {
    summary: 'The data has a member whose name the policy language keeps for itself.',
    hint: 'Leave it out; whoever sends data does not choose its type.',
    source: `${cedar} §JSON format of entities`,
  },
  'untrusted-value': {
    summary:
      'The data holds what the policy language cannot: a fraction, a null, or too many levels.',
    hint: 'Send texts, whole numbers, booleans, lists and objects of them.',
    source: `${cedar} §JSON format of entities`,
  },
  'decision-schema': {
    summary: 'The decision was made under another schema than this version has.',
    hint: 'Recompute it with the version of Assay that the log names at its time.',
  },
} as const satisfies Record<string, ErrorRow>

export type AuthorizationErrorCode = keyof typeof rows

/** Policies, a schema or data that cannot be used to decide. A denial is never an error here. */
export class AuthorizationError extends CodedError<AuthorizationErrorCode> {
  constructor(code: AuthorizationErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
