import { createHash } from 'node:crypto'
import type { CodedError } from '../core/coded-error.ts'
import {
  parseManufacturerAuthority,
  parseTrustAnchor,
  TrustAnchorError,
  type AnchorLabels,
  type ManufacturerAuthority,
} from '../core/verifier/trust-anchor.ts'
import type { AnchorRecord, AuditEntry } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/** A certificate of a collection, with what whoever brings it says of it. */
export interface AnchorProposal extends AnchorLabels {
  /** DER, untrusted. */
  readonly certificate: Uint8Array
  /** Where in the collection it lay. */
  readonly source: string
}

/** What became of one proposal. */
export interface ProposalOutcome {
  readonly source: string
  readonly outcome: 'proposed' | 'known' | 'refused'
  readonly fingerprint?: string
  /** Why it was refused. */
  readonly error?: CodedError
}

/**
 * Admits a manufacturer's root certificate at once. From then on a TPM whose EK certificate chains to it may ask to
 * enrol, at the assurance level that the operator stated.
 *
 * @throws TrustAnchorError; ServiceError `anchor-exists`, `anchor-revoked`
 */
export async function admitAnchor(
  service: Service,
  actor: string,
  proposal: AnchorProposal,
): Promise<AnchorRecord> {
  const now = service.clock.now()
  parseTrustAnchor(proposal.certificate, proposal, new Date(now))
  const authority = parseManufacturerAuthority(proposal.certificate, proposal, new Date(now))
  const record: AnchorRecord = {
    ...proposedRecord(authority, proposal.source, actor, now),
    status: 'active',
    approvedAt: now,
    approvedBy: actor,
  }
  const { name, vendor, assurance, fingerprint } = record
  const detail = { name, vendor, assurance }
  const entry = auditEntry(service, 'anchor.added', actor, fingerprint, detail)
  const answer = await service.store.anchors.add(record, entry)
  if (answer === 'exists') throw new ServiceError('anchor-exists', { found: fingerprint })
  if (answer === 'revoked') throw new ServiceError('anchor-revoked', { found: fingerprint })
  return (await findAnchor(service, fingerprint)) ?? record
}

/**
 * Takes a collection in as proposals: nothing of it is in force until an operator approved it. Each certificate is
 * judged by itself, so that one that is spoiled does not keep the others out.
 */
export async function proposeAnchors(
  service: Service,
  actor: string,
  proposals: readonly AnchorProposal[],
): Promise<ProposalOutcome[]> {
  const now = service.clock.now()
  const read = proposals.map(proposal => readProposal(proposal, actor, now))
  const records = read.flatMap(({ record }) => record ?? [])
  const digest = createHash('sha256').update(records.map(row => row.fingerprint).join())
  const detail = { certificates: records.length, digest: digest.digest('hex') }
  const entry = auditEntry(service, 'anchor.proposed', actor, 'anchors', detail)
  const added = new Set(await service.store.anchors.propose(records, entry))
  return read.map(({ source, record, error }) => {
    if (record === undefined) return { source, outcome: 'refused', ...(error && { error }) }
    const { fingerprint } = record
    return { source, outcome: added.has(fingerprint) ? 'proposed' : 'known', fingerprint }
  })
}

interface ReadProposal {
  readonly source: string
  readonly record?: AnchorRecord
  readonly error?: TrustAnchorError
}

function readProposal(proposal: AnchorProposal, actor: string, now: number): ReadProposal {
  const { source, certificate } = proposal
  try {
    const authority = parseManufacturerAuthority(certificate, proposal, new Date(now))
    return { source, record: proposedRecord(authority, source, actor, now) }
  } catch (error) {
    if (error instanceof TrustAnchorError) return { source, error }
    throw error
  }
}

function proposedRecord(
  authority: ManufacturerAuthority,
  source: string,
  actor: string,
  now: number,
): AnchorRecord {
  return {
    ...authority,
    status: 'proposed',
    source,
    addedAt: now,
    addedBy: actor,
    sinceVersion: null,
    untilVersion: null,
    approvedAt: null,
    approvedBy: null,
    retiredAt: null,
    retiredBy: null,
    retirementReason: null,
  }
}

/**
 * Puts certificates in force, all of them or none, as one new version of the set.
 *
 * @throws ServiceError `anchor-unknown`, `anchor-active`
 */
export async function approveAnchors(
  service: Service,
  actor: string,
  fingerprints: readonly string[],
): Promise<{ readonly version: number; readonly fingerprints: readonly string[] }> {
  const unique = [...new Set(fingerprints)]
  const change = { at: service.clock.now(), by: actor }
  const answer = await service.store.anchors.approve(
    unique,
    change,
    ...approvalEntries(service, actor, unique),
  )
  if (answer === 'unknown') throw new ServiceError('anchor-unknown')
  if (answer === 'already') throw new ServiceError('anchor-active')
  if (answer === 'revoked') throw new ServiceError('anchor-revoked')
  return { ...answer, fingerprints: unique }
}

/** An entry of the log names every certificate that it is about, and has room for so many. */
const fingerprintsPerEntry = 500

function approvalEntries(
  service: Service,
  actor: string,
  fingerprints: readonly string[],
): AuditEntry[] {
  const count = Math.ceil(fingerprints.length / fingerprintsPerEntry)
  return Array.from({ length: count }, (_, index) => {
    const begin = index * fingerprintsPerEntry
    const detail = { fingerprints: fingerprints.slice(begin, begin + fingerprintsPerEntry) }
    return auditEntry(service, 'anchor.approved', actor, 'anchors', detail)
  })
}

/**
 * Takes a certificate out of force. Hosts below it keep their standing until their Attestation Result ends, and do not
 * come in again; whoever wants them out at once revokes them.
 *
 * @throws ServiceError `anchor-unknown`, `anchor-retired`
 */
export async function retireAnchor(
  service: Service,
  actor: string,
  fingerprint: string,
  reason: string,
): Promise<{ readonly version: number; readonly fingerprint: string }> {
  const change = { at: service.clock.now(), by: actor, reason }
  const entry = auditEntry(service, 'anchor.retired', actor, fingerprint, { reason })
  const answer = await service.store.anchors.retire(fingerprint, change, entry)
  if (answer === 'unknown') throw new ServiceError('anchor-unknown', { found: fingerprint })
  if (answer === 'already') throw new ServiceError('anchor-retired', { found: fingerprint })
  return { ...answer, fingerprint }
}

/** Every certificate that was ever proposed or admitted, oldest first. */
export async function listAnchors(service: Pick<Service, 'store'>): Promise<AnchorRecord[]> {
  return service.store.anchors.list()
}

async function findAnchor(
  service: Pick<Service, 'store'>,
  fingerprint: string,
): Promise<AnchorRecord | undefined> {
  const all = await service.store.anchors.list()
  return all.find(anchor => anchor.fingerprint === fingerprint)
}

/** What differs between two sets of anchors. */
export interface AnchorDifference {
  readonly from: number
  readonly to: number | 'proposed'
  readonly added: readonly AnchorRecord[]
  readonly removed: readonly AnchorRecord[]
}

/**
 * What came and went between two versions of the set; or, against `proposed`, what an approval of everything that is
 * proposed would add. An anchor that was retired and approved again counts from its last approval on.
 *
 * @param from the version to begin with; the present one where it is left out
 */
export async function compareAnchors(
  service: Pick<Service, 'store'>,
  from: number | undefined,
  to: number | 'proposed',
): Promise<AnchorDifference> {
  const all = await service.store.anchors.list()
  const present = Math.max(0, ...all.flatMap(row => [row.sinceVersion ?? 0, row.untilVersion ?? 0]))
  const begin = from ?? (to === 'proposed' ? present : Math.max(0, present - 1))
  const before = all.filter(row => isInSet(row, begin))
  const after =
    to === 'proposed'
      ? all.filter(row => isInSet(row, begin) || row.status === 'proposed')
      : all.filter(row => isInSet(row, to))
  return {
    from: begin,
    to,
    added: after.filter(row => !before.includes(row)),
    removed: before.filter(row => !after.includes(row)),
  }
}

function isInSet({ sinceVersion, untilVersion }: AnchorRecord, version: number): boolean {
  if (sinceVersion === null || sinceVersion > version) return false
  return untilVersion === null || untilVersion > version
}
