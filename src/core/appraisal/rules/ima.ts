import { decodeBase64url } from '../../bytes/base64url.ts'
import type { ImaAppraisal, ImaRefusal, ImaRules } from '../../ima/appraise.ts'
import { createImaKeyring } from '../../ima/keyring.ts'
import type { TemplateHash } from '../../ima/replay.ts'
import type { AggregateStanding } from '../../ima/aggregate-check.ts'
import { quoted } from '../boot-judgement.ts'
import { affirmed, contraindicated, listed, type Finding } from '../finding.ts'
import { resolveReferences, type PolicyDocument } from '../policy.ts'
import type { AppraisalSubject } from '../subject.ts'

/** A key that files may be signed with. */
export interface ImaKeyEntry {
  /** SubjectPublicKeyInfo, DER in base64url. */
  readonly spki: string
  /** Hex; where it is not the SHA-1 of the key. */
  readonly subjectKeyId?: string | undefined
}

/** The host shows what it ran since its boot, and every file of it is listed, signed or left out by name. */
export interface ImaRule {
  readonly kind: 'ima'
  readonly id: string
  /** Names of allow-lists: digests by path. */
  readonly allowLists: readonly string[]
  /** Names of reference values that are right under any path. */
  readonly accept: readonly string[]
  /** Keys that vouch for a file, whatever its digest. */
  readonly keys: readonly ImaKeyEntry[]
  /** Paths that are not looked at; one that ends in a slash stands for all below it. */
  readonly exclude: readonly string[]
  /** Names of reference values by the name of a measured buffer, such as `kexec-cmdline`. */
  readonly buffers: Readonly<Record<string, readonly string[]>>
  /** Files that may have changed while they were measured, in one boot. */
  readonly maxViolations: number
  /** How the kernels of these hosts extend a bank; `sha1-padded` before Linux 5.8. */
  readonly templateHash: TemplateHash
}

/** What a verified list shows, and what the policy's rule makes of its proven entries. */
export interface ImaFacts {
  readonly proven: number
  /** Entries after the quote, which it does not cover. */
  readonly unproven: number
  /** PCRs that the list explains. */
  readonly pcrs: readonly number[]
  readonly bootAggregate: AggregateStanding
  readonly appraisal: ImaAppraisal
}

/** The PCR that IMA extends. */
export const imaPcr = 10

/** See {@link ImaRule}. */
export function appraiseIma(_rule: ImaRule, { ima }: AppraisalSubject): Finding {
  const expected = 'files that are listed, signed or left out by name'
  if (ima === undefined)
    return contraindicated('no list of measurements, or no quote of PCR 10', expected)
  const { appraisal, pcrs, proven } = ima
  const foreign = pcrs.filter(pcr => pcr !== imaPcr)
  const wrong = [
    // What boot loaders measured could be passed off as an entry of such a PCR.
    ...foreign.map(pcr => `entries in PCR ${pcr}`),
    ...appraisal.refusals.map(describe),
  ]
  const { listed: known, signed, excluded, buffers, violations, refused } = appraisal
  if (wrong.length > 0 || refused > 0)
    return contraindicated(`${listed(wrong)}; ${refused} of ${proven} entries refused`, expected)
  const counts = `${known} listed, ${signed} signed, ${excluded} left out, ${buffers} buffers`
  return affirmed(`${proven} entries: ${counts}, ${violations} violations`, expected)
}

function describe({ code, name }: ImaRefusal): string {
  return `${code} ${quoted(name)}`
}

/**
 * The rules for the entries of a list that a policy's rule states.
 *
 * @throws DerError, TypeError for a key that is none
 */
export function imaRulesOf(policy: PolicyDocument, rule: ImaRule): ImaRules {
  const resolved = (names: readonly string[]): string[] => [
    ...resolveReferences(policy, names).keys(),
  ]
  const buffers = Object.entries(rule.buffers).map(([name, names]) => [name, resolved(names)])
  return {
    files: mergedFiles(policy, rule.allowLists),
    digests: new Set(resolved(rule.accept)),
    exclude: rule.exclude,
    buffers: Object.fromEntries(buffers) as Record<string, string[]>,
    maxViolations: rule.maxViolations,
    ...(rule.keys.length === 0 ? {} : { keyring: createImaKeyring(rule.keys.map(keySourceOf)) }),
  }
}

/** Several lists as one; a path that two of them name has the digests of both. */
function mergedFiles(
  { allowLists }: PolicyDocument,
  names: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const files = new Map<string, readonly string[]>()
  const entries = names.flatMap(name => Object.entries<readonly string[]>(allowLists[name] ?? []))
  for (const [path, digests] of entries) files.set(path, [...(files.get(path) ?? []), ...digests])
  return files
}

function keySourceOf({ spki, subjectKeyId }: ImaKeyEntry): {
  spki: Uint8Array
  subjectKeyId?: Uint8Array
} {
  const id = subjectKeyId === undefined ? {} : { subjectKeyId: Buffer.from(subjectKeyId, 'hex') }
  return { spki: decodeBase64url(spki), ...id }
}
