import type { EvidenceError } from '../verifier/error.ts'
import type { AppraisalPolicy } from './appraisal-policy.ts'
import { validationFailed } from './ar4si.ts'
import type { Verdict } from './verdict.ts'

/**
 * The verdict on Evidence that is malformed or forged, so that it was never appraised: what ran, and what failed.
 *
 * @see draft-ietf-rats-ar4si-06 §3.3, value 99
 */
export function refusedVerdict(
  error: EvidenceError,
  policy: AppraisalPolicy,
  context: { readonly now: Date; readonly evidenceSha256: string },
): Verdict {
  const now = context.now.toISOString()
  return {
    status: 'contraindicated',
    accepted: false,
    rule: error.code,
    assurance: null,
    policy: { id: policy.id, version: policy.version },
    evidenceSha256: context.evidenceSha256,
    issuedAt: now,
    expiresAt: now,
    trustworthiness: { 'instance-identity': validationFailed },
    checks: error.checks,
    rules: [],
    platform: null,
  }
}
