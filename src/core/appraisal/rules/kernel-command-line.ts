import type { BootFacts } from '../../eventlog/boot-facts.ts'
import { appraiseBoot, quoted } from '../boot-judgement.ts'
import { listed, type Finding } from '../finding.ts'
import { resolveReferences } from '../policy.ts'
import type { AppraisalSubject } from '../subject.ts'

/**
 * With which parameters the kernel was started. Loaders measure texts whose role no digest shows, so each text that can
 * have been a command line must be one that is allowed, word by word.
 */
export interface KernelCommandLineRule {
  readonly kind: 'kernel-command-line'
  readonly id: string
  /** Words that may stand there; one that ends in an asterisk stands for all that begin as it does. */
  readonly allow: readonly string[]
  /** Words that each command line has, as the only value of their name. */
  readonly require: readonly string[]
  /** Names of reference values: the `.cmdline` section that a unified kernel image may carry. */
  readonly embedded: readonly string[]
  /** Names of reference values: what else a unified kernel image may be given, such as add-ons and credentials. */
  readonly parameters: readonly string[]
}

/** PCRs in which a command line, or what changes one, can be found. */
export const commandLinePcrs: readonly number[] = [8, 11, 12, 13]

/** See {@link KernelCommandLineRule}. A boot that shows no command line at all is refused. */
export function appraiseKernelCommandLine(
  rule: KernelCommandLineRule,
  subject: AppraisalSubject,
): Finding {
  const expected = `parameters that are ${listed([...rule.require, ...rule.allow])}`
  return appraiseBoot(subject, { pcrs: commandLinePcrs, expected }, boot => {
    const { commandLines, unknown } = boot.bootLoader
    const embedded = embeddedIn(boot)
    const isShown = commandLines.length > 0 || embedded.length > 0
    const wrong = [
      ...(isShown ? [] : ['no command line was measured']),
      ...unknown.map(({ digest }) => `${digest} in PCR 8 is no text`),
      ...commandLines.flatMap(({ text }) => breachesOf(rule, text)),
      ...strangers(subject, rule.embedded, embedded, '.cmdline'),
      ...strangers(subject, rule.parameters, parametersOf(boot), 'parameter'),
      ...incompleteness(boot),
    ]
    return { wrong, found: listed(commandLines.map(({ text }) => quoted(text))) || '.cmdline' }
  })
}

function embeddedIn({ unifiedKernel }: BootFacts): string[] {
  const sections = unifiedKernel?.sections ?? []
  return sections.filter(({ name }) => name === '.cmdline').map(({ digest }) => digest)
}

function parametersOf({ unifiedKernel }: BootFacts): string[] {
  return unifiedKernel?.parameters.map(({ digest }) => digest) ?? []
}

/** What PCR 11 holds beside sections may be another command line. */
function incompleteness({ unifiedKernel }: BootFacts): string[] {
  const isOpen = unifiedKernel !== undefined && !unifiedKernel.isComplete
  return isOpen ? ['PCR 11 holds something else than sections'] : []
}

function strangers(
  { policy }: AppraisalSubject,
  accept: readonly string[],
  digests: readonly string[],
  what: string,
): string[] {
  const known = resolveReferences(policy, accept)
  return digests.filter(digest => !known.has(digest)).map(digest => `${what} ${digest}`)
}

/** Everything but printable ASCII is refused: kernels take other characters for blanks than people do. */
function breachesOf({ allow, require }: KernelCommandLineRule, line: string): string[] {
  if (!/^[\u0020-\u007E]*$/.test(line)) return [`${quoted(line)} is not printable ASCII`]
  const words = line.split(' ').filter(word => word !== '')
  const strange = words.filter(word => ![...require, ...allow].some(one => isAllowed(one, word)))
  const missing = require.filter(word => !isOnlyValue(word, words))
  return [
    ...strange.map(quoted),
    ...missing.map(word => `${quoted(line)} without ${word}, or with another value beside it`),
  ]
}

function isAllowed(pattern: string, word: string): boolean {
  return pattern.endsWith('*') ? word.startsWith(pattern.slice(0, -1)) : pattern === word
}

function isOnlyValue(required: string, words: readonly string[]): boolean {
  const name = nameOf(required)
  const same = words.filter(word => nameOf(word) === name)
  return same.length > 0 && same.every(word => word === required)
}

/** The name of a parameter; the kernel takes dashes in it for underscores, and quotes around it for nothing. */
function nameOf(word: string): string {
  return (word.split('=')[0] ?? '').replaceAll('"', '').replaceAll('-', '_')
}
