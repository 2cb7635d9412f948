import type { DatabaseEntry, DatabaseName } from '../../eventlog/secure-boot.ts'
import { appraiseBoot } from '../boot-judgement.ts'
import { listed, type Finding } from '../finding.ts'
import { resolveReferences } from '../policy.ts'
import type { AppraisalSubject } from '../subject.ts'

/** What a Secure Boot database may, must and must not hold: certificates and hashes by their SHA-256. */
export interface SecureBootDatabaseRule {
  readonly kind: 'secure-boot-database'
  readonly id: string
  readonly database: DatabaseName
  /** Names of reference values; with it, nothing else may be there. */
  readonly only?: readonly string[] | undefined
  /** Of each name one digest must be there. */
  readonly require?: readonly string[] | undefined
  /** Of no name any digest may be there. */
  readonly forbid?: readonly string[] | undefined
}

/** See {@link SecureBootDatabaseRule}. A database that is not proven is refused, whatever the rule asks of it. */
export function appraiseSecureBootDatabase(
  rule: SecureBootDatabaseRule,
  subject: AppraisalSubject,
): Finding {
  const expected = expectationOf(rule)
  return appraiseBoot(subject, { pcrs: [7], expected }, ({ secureBoot }) => {
    const database = secureBoot.databases[rule.database]
    const found = `${rule.database} with ${database?.entries.length ?? 0} entries`
    if (database === undefined) return { wrong: [`${rule.database} is not proven`], found }
    const { entries } = database
    const wrong = [strangers, missing, forbidden].flatMap(part => part(rule, subject, entries))
    return { wrong, found }
  })
}

function expectationOf({ database, only, require, forbid }: SecureBootDatabaseRule): string {
  const parts = [
    only === undefined ? [] : [`only ${listed(only)}`],
    require === undefined ? [] : [`with ${listed(require)}`],
    forbid === undefined ? [] : [`without ${listed(forbid)}`],
  ]
  return `${database} ${parts.flat().join(', ')}`
}

function strangers(
  { only }: SecureBootDatabaseRule,
  { policy }: AppraisalSubject,
  entries: readonly DatabaseEntry[],
): string[] {
  if (only === undefined) return []
  const known = resolveReferences(policy, only)
  return entries
    .filter(({ sha256 }) => !known.has(sha256))
    .map(({ kind, sha256 }) => `${kind} ${sha256} beside what is listed`)
}

function missing(
  { require = [] }: SecureBootDatabaseRule,
  { policy }: AppraisalSubject,
  entries: readonly DatabaseEntry[],
): string[] {
  const there = new Set(entries.map(({ sha256 }) => sha256))
  return require
    .filter(name => ![...resolveReferences(policy, [name]).keys()].some(one => there.has(one)))
    .map(name => `no ${name}`)
}

function forbidden(
  { forbid = [] }: SecureBootDatabaseRule,
  { policy }: AppraisalSubject,
  entries: readonly DatabaseEntry[],
): string[] {
  const unwanted = resolveReferences(policy, forbid)
  return entries.flatMap(({ sha256 }) => unwanted.get(sha256) ?? []).map(name => `${name} is there`)
}
