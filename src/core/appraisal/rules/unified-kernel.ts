import type { KernelSection } from '../../eventlog/unified-kernel.ts'
import { appraiseBoot } from '../boot-judgement.ts'
import { listed, type Finding } from '../finding.ts'
import { resolveReferences } from '../policy.ts'
import type { AppraisalSubject } from '../subject.ts'

/**
 * A unified kernel image was started whose sections, as its stub measured them into PCR 11, are of the reference values
 * named for each.
 */
export interface UnifiedKernelRule {
  readonly kind: 'unified-kernel'
  readonly id: string
  /** Names of reference values by section (`.linux`, `.initrd`, …); each of these sections is there. */
  readonly sections: Readonly<Record<string, readonly string[]>>
  /** What becomes of sections that are not named. */
  readonly others: 'accept' | 'refuse'
}

/** See {@link UnifiedKernelRule}. */
export function appraiseUnifiedKernel(rule: UnifiedKernelRule, subject: AppraisalSubject): Finding {
  const expected = Object.entries(rule.sections).map(
    ([name, accept]) => `${name} ${listed(accept)}`,
  )
  const expectation = { pcrs: [11], expected: expected.join('; ') }
  return appraiseBoot(subject, expectation, ({ unifiedKernel }) => {
    const sections = unifiedKernel?.sections ?? []
    const missing = Object.keys(rule.sections).filter(
      wanted => !sections.some(({ name }) => name === wanted),
    )
    const wrong = [
      ...(unifiedKernel?.isComplete === true ? [] : ['PCR 11 holds something else than sections']),
      ...missing.map(name => `no ${name}`),
      ...sections.flatMap(section => breachOf(rule, subject, section)),
    ]
    return { wrong, found: sections.map(({ name }) => name).join(' ') }
  })
}

function breachOf(
  { sections, others }: UnifiedKernelRule,
  { policy }: AppraisalSubject,
  { name, digest }: KernelSection,
): string[] {
  const accept = Object.hasOwn(sections, name) ? sections[name] : undefined
  if (accept === undefined && others === 'accept') return []
  return resolveReferences(policy, accept ?? []).has(digest) ? [] : [`${name} ${digest}`]
}
