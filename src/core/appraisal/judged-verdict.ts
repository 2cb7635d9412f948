import type { AppraisalPolicy } from './appraisal-policy.ts'
import { trustworthinessVector } from './ar4si.ts'
import type { AppraisedLine } from './lines.ts'
import { isAtLeast, worstStatus, type AppraisalStatus } from './status.ts'
import type { Verdict } from './verdict.ts'

/** What a verdict says whatever the hardware: how its lines come out under a policy, and how long that holds. */
export type JudgedVerdict = Omit<Verdict, 'assurance' | 'checks' | 'platform' | 'boot' | 'ima'>

/** The part of a verdict that follows from policy and lines. */
export function judgedVerdict(
  policy: AppraisalPolicy,
  { now, evidenceSha256 }: { readonly now: Date; readonly evidenceSha256: string },
  lines: readonly AppraisedLine[],
): JudgedVerdict {
  const { validitySeconds, minimumStatus } = policy.document
  const status = worstStatus(lines.map(({ line }) => line.outcome))
  return {
    status,
    accepted: !policy.isEmpty && isAtLeast(status, minimumStatus),
    rule: decidingRule(lines, status),
    policy: { id: policy.id, version: policy.version },
    evidenceSha256,
    issuedAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + validitySeconds * 1000).toISOString(),
    trustworthiness: trustworthinessVector(
      lines.map(({ claim, line }) => ({ mapping: claim, outcome: line.outcome })),
    ),
    rules: lines.map(({ line }) => line),
  }
}

/** The first of the worst; of an affirmed verdict the policy's last word. */
function decidingRule(lines: readonly AppraisedLine[], status: AppraisalStatus): string {
  const worst = lines.filter(({ line }) => line.outcome === status)
  const deciding = status === 'affirming' ? worst.at(-1) : worst[0]
  return deciding?.line.rule ?? 'assurance'
}
