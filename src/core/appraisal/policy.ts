import type { AssuranceLevel } from '../verifier/assurance.ts'
import type { KeyProofRule } from './key-proof.ts'
import type { Rule } from './rule-table.ts'

/** Digests known under one name, any of which is right. */
export interface ReferenceValue {
  /** Hex SHA-256, lower case. */
  readonly digests: readonly string[]
}

/** Files that may be measured, by path: digests, any of which is right; see `digestText` for those that are not SHA-256. */
export type FileAllowList = Readonly<Record<string, readonly string[]>>

/**
 * An Appraisal Policy for Evidence as data. Kept in canonical JSON; what it does not name is not accepted.
 *
 * @see RFC 9334 §8.5
 */
export interface PolicyDocument {
  /** What its author calls it. */
  readonly name: string
  /** Levels that may be admitted; none admits nobody. */
  readonly assurance: readonly AssuranceLevel[]
  /** PCRs that each quote must cover. */
  readonly pcrs: { readonly sha256: readonly number[] }
  /** How long a verdict holds; no credential outlasts it. */
  readonly validitySeconds: number
  /** The lowest status that is admitted; `warning` admits lower modes, such as trust on first use. */
  readonly minimumStatus: 'affirming' | 'warning'
  /** How long the proof of a key carries renewals; `defaultKeyProof` where it is absent. */
  readonly keyProof?: KeyProofRule | undefined
  readonly referenceValues: Readonly<Record<string, ReferenceValue>>
  readonly allowLists: Readonly<Record<string, FileAllowList>>
  /** All of them are evaluated; none admits nobody. */
  readonly rules: readonly Rule[]
}

/** Whether a policy says nothing at all, and so denies everybody. */
export function isEmptyPolicy(document: PolicyDocument): boolean {
  return document.assurance.length === 0 || document.rules.length === 0
}

/** The names in `references` resolved to digests, with the name each came from. */
export function resolveReferences(
  document: PolicyDocument,
  references: readonly string[],
): ReadonlyMap<string, string> {
  const digests = references.flatMap(name =>
    (document.referenceValues[name]?.digests ?? []).map(digest => [digest, name] as const),
  )
  return new Map(digests)
}
