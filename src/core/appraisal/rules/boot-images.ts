import type { BootImage } from '../../eventlog/boot-images.ts'
import { appraiseBoot, quoted } from '../boot-judgement.ts'
import { listed, type Finding } from '../finding.ts'
import { resolveReferences } from '../policy.ts'
import type { AppraisalSubject } from '../subject.ts'

/**
 * What was started, by Authenticode digest: each program of PCR 4 (firmware applications, boot loader, kernel or
 * unified kernel image) is one of the reference values named. Nothing else ran before the kernel.
 */
export interface BootImagesRule {
  readonly kind: 'boot-images'
  readonly id: string
  /** Names of reference values. */
  readonly accept: readonly string[]
  /** Names of reference values, one of which the last program must be: the kernel, or what loads it. */
  readonly last?: readonly string[] | undefined
}

/** See {@link BootImagesRule}. A boot that started nothing is not one. */
export function appraiseBootImages(rule: BootImagesRule, subject: AppraisalSubject): Finding {
  const { last = rule.accept } = rule
  const known = resolveReferences(subject.policy, [...rule.accept, ...last])
  const final = resolveReferences(subject.policy, last)
  const expected = `${listed(rule.accept)}; at last ${listed(last)}`
  return appraiseBoot(subject, { pcrs: [4], expected }, ({ images }) => {
    const end = images.at(-1)
    const isFinal = end !== undefined && final.has(end.digest)
    const wrong = [
      ...images.filter(({ digest }) => !known.has(digest)).map(describe),
      ...(isFinal ? [] : [`${end === undefined ? 'nothing' : describe(end)} at last`]),
    ]
    return { wrong, found: listed(images.flatMap(({ digest }) => known.get(digest) ?? [])) }
  })
}

/** The path is the log's word alone: it helps to find the file, and decides nothing. */
function describe({ digest, fileHint }: BootImage): string {
  return fileHint === undefined ? digest : `${digest} said to be ${quoted(fileHint)}`
}
