import { createHash } from 'node:crypto'
import type { PolicyDocument } from '../../../src/core/appraisal/policy.ts'
import type { Rule } from '../../../src/core/appraisal/rule-table.ts'
import { imaRulesOf, type ImaRule } from '../../../src/core/appraisal/rules/ima.ts'
import type { AppraisalSubject } from '../../../src/core/appraisal/subject.ts'
import type { BootFacts } from '../../../src/core/eventlog/boot-facts.ts'
import { appraiseImaList } from '../../../src/core/ima/appraise.ts'
import { verifyMeasuredBoot } from '../../../src/core/verifier/measured-boot.ts'
import { certificates } from '../../../swtpm/emulated/boot-events.ts'
import { makeEventLog, quoteOf, type MadeEvent } from '../../../swtpm/emulated/event-log.ts'
import {
  aggregateEntry,
  makeImaList,
  withIma,
  type MadeEntry,
} from '../../../swtpm/emulated/ima-list.ts'
import { document, subject } from './fixtures.ts'

/** Every PCR that rules about a boot look at. */
export const bootPcrs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14] as const

/** Hex SHA-256. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

const contents = ['shim', 'grub', 'uki', 'kernel', 'quiet', 'initrd', 'addon', 'configuration']
const [platform = Buffer.alloc(0), vendor = Buffer.alloc(0), distribution = Buffer.alloc(0)] =
  certificates

/** What the boots of the tests are made of, by name; certificates behind `ca-`. */
export const referenceValues: PolicyDocument['referenceValues'] = {
  ...Object.fromEntries(contents.map(name => [name, { digests: [sha256(name)] }])),
  'ca-platform': { digests: [sha256(platform)] },
  'ca-vendor': { digests: [sha256(vendor)] },
  'ca-distribution': { digests: [sha256(distribution)] },
  'revoked-1': { digests: ['01'.repeat(32)] },
  'revoked-2': { digests: ['02'.repeat(32)] },
  'revoked-3': { digests: ['03'.repeat(32)] },
}

/** A policy about boots with these rules. */
export function bootPolicy(
  rules: readonly Rule[],
  changes: Partial<PolicyDocument> = {},
): PolicyDocument {
  return { ...document, pcrs: { sha256: bootPcrs }, referenceValues, rules, ...changes }
}

/** The facts of a boot, from its log and the quote that belongs to it. */
export function factsOf(
  events: readonly MadeEvent[],
  pcrs: readonly number[] = bootPcrs,
): BootFacts {
  const evidence = { eventLog: makeEventLog(events), imaLog: null }
  const quoted = [quoteOf(events, pcrs)]
  const eventLog = { quirks: ['exit-boot-services-missing'] } as const
  const { facts } = verifyMeasuredBoot(evidence, { quoted, resetCount: 1, eventLog })
  if (facts === undefined) throw new TypeError('a log has facts')
  return facts
}

/** What rules look at, of a host that booted so. */
export function bootedSubject(
  events: readonly MadeEvent[] | undefined,
  rules: readonly Rule[],
  pcrs?: readonly number[],
): AppraisalSubject {
  const boot = events === undefined ? undefined : factsOf(events, pcrs)
  return { ...subject, policy: bootPolicy(rules), boot }
}

/** What rules look at, of a host on which IMA measured these entries after its aggregate. */
export function listedSubject(
  entries: readonly MadeEntry[],
  rule: ImaRule,
  changes: Partial<PolicyDocument> = {},
): AppraisalSubject {
  const base = quoteOf([], bootPcrs)
  const all = [aggregateEntry(base), ...entries]
  const pcrs = new Set(all.map(({ pcr = 10 }) => pcr))
  const start = quoteOf([], bootPcrs)
  const quoted = [withIma(start, all, [...pcrs], rule.templateHash === 'sha1-padded')]
  const evidence = { eventLog: null, imaLog: makeImaList(all) }
  const { templateHash } = rule
  const { ima } = verifyMeasuredBoot(evidence, { quoted, resetCount: 1, templateHash })
  if (ima === undefined) throw new TypeError('a list has entries')
  const policy = bootPolicy([rule], changes)
  const appraisal = appraiseImaList(ima, imaRulesOf(policy, rule))
  const { pcrs: reached, bootAggregate } = ima
  return { ...subject, policy, ima: { ...ima.count, pcrs: reached, bootAggregate, appraisal } }
}
