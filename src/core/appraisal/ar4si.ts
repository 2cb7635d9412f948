import { tiers, type AppraisalStatus } from './status.ts'

/** The Trustworthiness Claims that Assay can make (draft-ietf-rats-ar4si-06 §3.3). */
export type TrustworthinessClaim =
  'instance-identity' | 'configuration' | 'executables' | 'hardware'

/** Claims with their values; what is absent is not claimed. */
export type TrustworthinessVector = Readonly<Partial<Record<TrustworthinessClaim, number>>>

/** Cryptographic validation of the Evidence has failed. */
export const validationFailed = 99

/** What a line of the verdict says about an aspect, by its outcome; no value, no claim. */
export interface ClaimMapping {
  readonly claim: TrustworthinessClaim
  readonly affirming?: number
  readonly warning?: number
  readonly contraindicated: number
}

/** The tier that a value stands in. */
export function tierOf(value: number): AppraisalStatus {
  if (value >= tiers.contraindicated || value < -96) return 'contraindicated'
  if (value >= tiers.warning || value < -32) return 'warning'
  return value >= tiers.affirming || value < -1 ? 'affirming' : 'none'
}

/**
 * One value for each claim: of those that lines assign, the worst tier counts, and in it the value that says most (the
 * highest of a warning or contraindication, the weakest of affirmations).
 *
 * @see draft-ietf-rats-ar4si-06 §3.3.3
 */
export function trustworthinessVector(
  assigned: readonly { readonly mapping: ClaimMapping; readonly outcome: AppraisalStatus }[],
): TrustworthinessVector {
  const vector: Partial<Record<TrustworthinessClaim, number>> = {}
  for (const { mapping, outcome } of assigned) {
    const value = outcome === 'none' ? undefined : mapping[outcome]
    if (value === undefined) continue
    vector[mapping.claim] = Math.max(vector[mapping.claim] ?? value, value)
  }
  return vector
}
