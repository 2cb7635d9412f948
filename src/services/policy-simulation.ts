import { parseAttestationContext } from '../core/appraisal/attestation-context.ts'
import type { AppraisalPolicy } from '../core/appraisal/appraisal-policy.ts'
import { verdictDifference, type VerdictDifference } from '../core/appraisal/difference.ts'
import { AppraisalError } from '../core/appraisal/error.ts'
import { reappraiseInSlices } from '../core/appraisal/reappraise.ts'
import { refusedVerdict } from '../core/appraisal/refused-verdict.ts'
import type { Verdict } from '../core/appraisal/verdict.ts'
import { EvidenceFormatError } from '../core/formats/error.ts'
import type { EndorsementBasis } from '../core/formats/evidence-format.ts'
import { EvidenceError } from '../core/verifier/error.ts'
import type { AttestationRecord, HostRecord } from '../ports/records.ts'
import { loadPolicy } from './appraisal-policy.ts'
import { loadEndorsementBasis } from './enrollment-keys.ts'
import { findPolicy } from './policies.ts'
import { recordingPolicy } from './revocation-sources.ts'
import { runInSlices } from './run-in-slices.ts'
import type { Service } from './service.ts'

/** What one host would become. */
export interface SimulatedChange extends VerdictDifference {
  readonly host: string
  readonly name: string
  readonly attestation: string
}

/** What a policy would have said to the newest kept Evidence of every active host. */
export interface Simulation {
  readonly policy: { readonly version: number; readonly id: string }
  /** Hosts whose Evidence was judged. */
  readonly judged: number
  /** Hosts without Evidence that can be judged again, by id. */
  readonly unjudged: readonly string[]
  readonly changes: readonly SimulatedChange[]
}

/**
 * Verifies and appraises the kept Evidence of every active host under another policy, at the time of its own appraisal,
 * and says who would change and why. Nothing is changed by it.
 *
 * @throws ServiceError `policy-unknown`
 */
export async function simulatePolicy(service: Service, version: number): Promise<Simulation> {
  const policy = loadPolicy(await findPolicy(service, version))
  const hosts = (await service.store.hosts.list()).filter(host => host.status === 'active')
  const endorsement = await loadBasis(service)
  const changes: SimulatedChange[] = []
  const unjudged: string[] = []
  for (const host of hosts) {
    const record = await findEvidence(service, host)
    const verdict = record && (await judge(service, record, policy, endorsement))
    if (record === undefined || verdict === undefined) unjudged.push(host.id)
    else changes.push(...changeOf(host, record, verdict))
  }
  const judged = hosts.length - unjudged.length
  return { policy: { version, id: policy.id }, judged, unjudged, changes }
}

/**
 * What endorsement keys are held against: authorities as they are now, and what issuers said since. That nobody has
 * said anything is not asked for again: today's lists are too young for the time of the appraisal.
 */
async function loadBasis(service: Service): Promise<EndorsementBasis> {
  const basis = await loadEndorsementBasis(service)
  return { ...basis, endorsementPolicy: recordingPolicy(basis.endorsementPolicy) }
}

async function findEvidence(
  service: Service,
  { attestationId }: HostRecord,
): Promise<AttestationRecord | undefined> {
  return attestationId === null ? undefined : service.store.attestations.find(attestationId)
}

/** Undefined where the Evidence cannot be read any more; what no longer verifies is contraindicated. */
async function judge(
  service: Service,
  record: AttestationRecord,
  policy: AppraisalPolicy,
  endorsement: EndorsementBasis,
): Promise<Verdict | undefined> {
  const now = new Date(record.appraisedAt)
  const { format, evidence, evidenceSha256 } = record
  try {
    const context = parseAttestationContext(record.context)
    const work = reappraiseInSlices({ format, evidence, context }, policy, {
      ...endorsement,
      advisories: service.firmwareAdvisories,
      isEmulationAllowed: service.settings.attestation.assurance.includes('emulated'),
      now,
    })
    return (await runInSlices(work)).verdict
  } catch (cause) {
    if (cause instanceof EvidenceError)
      return refusedVerdict(cause, policy, { now, evidenceSha256 })
    if (cause instanceof AppraisalError || cause instanceof EvidenceFormatError) return undefined
    throw cause
  }
}

function changeOf(
  host: HostRecord,
  record: AttestationRecord,
  verdict: Verdict,
): SimulatedChange[] {
  const difference = verdictDifference(JSON.parse(record.verdict) as Verdict, verdict)
  if (difference === undefined) return []
  return [{ host: host.id, name: host.name, attestation: record.id, ...difference }]
}
