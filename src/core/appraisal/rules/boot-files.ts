import type { MeasuredContent } from '../../eventlog/boot-loader.ts'
import { appraiseBoot, quoted } from '../boot-judgement.ts'
import { listed, type Finding } from '../finding.ts'
import { resolveReferences } from '../policy.ts'
import type { AppraisalSubject } from '../subject.ts'

/**
 * What a boot loader read, by digest: each content of PCR 9 (kernel, initial file system, modules and configuration of
 * GRUB, load options) is one of the reference values named.
 */
export interface BootFilesRule {
  readonly kind: 'boot-files'
  readonly id: string
  /** Names of reference values. */
  readonly accept: readonly string[]
}

/** See {@link BootFilesRule}. A boot whose loader measured no file is refused: what it read is not known. */
export function appraiseBootFiles(rule: BootFilesRule, subject: AppraisalSubject): Finding {
  const known = resolveReferences(subject.policy, rule.accept)
  const expected = `files that are ${listed(rule.accept)}`
  return appraiseBoot(subject, { pcrs: [9], expected }, ({ bootLoader: { files } }) => {
    const strangers = files.filter(({ digest }) => !known.has(digest)).map(describe)
    const wrong = files.length === 0 ? ['no file was measured'] : strangers
    return { wrong, found: `${files.length} files` }
  })
}

/** The name is the log's word alone: it helps to find the file, and decides nothing. */
function describe({ digest, nameHint }: MeasuredContent): string {
  return nameHint === undefined ? digest : `${digest} said to be ${quoted(nameHint)}`
}
