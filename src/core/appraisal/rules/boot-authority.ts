import type { BootFacts } from '../../eventlog/boot-facts.ts'
import { appraiseBoot, type BootJudgement } from '../boot-judgement.ts'
import { listed, type Finding } from '../finding.ts'
import { resolveReferences } from '../policy.ts'
import type { AppraisalSubject } from '../subject.ts'

/**
 * Who may have signed what was started: each certificate or hash by which the firmware or shim verified an image is one
 * of the reference values named, and one at least was used.
 */
export interface BootAuthorityRule {
  readonly kind: 'boot-authority'
  readonly id: string
  /** Names of reference values: SHA-256 of certificates, or hashes of images. */
  readonly accept: readonly string[]
}

/** See {@link BootAuthorityRule}. Without Secure Boot nothing was verified by anybody, and the rule does not hold. */
export function appraiseBootAuthority(rule: BootAuthorityRule, subject: AppraisalSubject): Finding {
  const expected = `images verified by ${listed(rule.accept)}`
  const accepted = resolveReferences(subject.policy, rule.accept)
  return appraiseBoot(subject, { pcrs: [7], expected }, boot => judge(boot, accepted))
}

function judge(
  { secureBoot, checks }: BootFacts,
  accepted: ReadonlyMap<string, string>,
): BootJudgement {
  const { isEnabled, authorities } = secureBoot
  const strangers = authorities.filter(({ sha256 }) => !accepted.has(sha256))
  const used = new Set(authorities.flatMap(({ sha256 }) => accepted.get(sha256) ?? []))
  // An authority that its database does not hold is no fact: the check alone tells of it.
  const unlisted = checks.find(
    ({ code, outcome }) => code === 'eventlog-authority' && outcome === 'fail',
  )
  const wrong = [
    ...(isEnabled === true ? [] : ['Secure Boot is not proven to be on']),
    ...(unlisted === undefined ? [] : [`${unlisted.found ?? ''} of no database`]),
    ...strangers.map(({ database, kind, sha256 }) => `${kind} ${sha256} of ${database}`),
    ...(used.size > 0 ? [] : ['nothing was verified by them']),
  ]
  return { wrong, found: listed([...used]) }
}
