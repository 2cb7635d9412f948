import type { CertificationPath } from '../x509/path.ts'
import {
  revocationStatusOf,
  type RevocationSources,
  type RevocationStatus,
} from '../x509/revocation.ts'
import type { CheckRecorder } from './check.ts'
import { revocationModeOf, type EndorsementPolicy } from './endorsement-policy.ts'

const defaultMaxAgeSeconds = 30 * 24 * 60 * 60

const noSources: RevocationSources = { lists: [], responses: [] }

/** What it is held to. */
export interface RevocationScope {
  readonly sources: RevocationSources | undefined
  readonly policy: EndorsementPolicy
  /** Vendor label of the anchor. */
  readonly vendor: string
  readonly now: Date
}

/**
 * Holds every certificate of a path but its anchor against what their issuers said. Revoked is refused; that nobody
 * can say is refused where the policy asks for an answer, and else recorded.
 *
 * @returns one status a certificate, the endorsement key's first
 * @throws EvidenceError `ek-revocation`, `ek-revocation-unavailable`
 * @see RFC 5280 §6.3; verification E9
 */
export function verifyRevocation(
  { certificates }: CertificationPath,
  { sources, policy, vendor, now }: RevocationScope,
  recorder: CheckRecorder,
): RevocationStatus[] {
  const mode = revocationModeOf(policy, vendor)
  if (mode === 'off') return passUnseen(certificates, recorder)
  const maxAgeSeconds = policy.revocationMaxAgeSeconds ?? defaultMaxAgeSeconds
  const freshness = { time: now.getTime(), maxAgeSeconds }
  const statuses = certificates.slice(0, -1).map((certificate, index) => {
    const issuer = certificates[index + 1] ?? certificate
    return revocationStatusOf(certificate, issuer, sources ?? noSources, freshness)
  })
  const bytes = certificates[0]?.fields.encoded
  const found = statuses.map(describe).join('; ')
  const facts = { found, ...(bytes === undefined ? {} : { bytes }) }
  if (statuses.some(({ outcome }) => outcome === 'revoked')) recorder.refuse('ek-revocation', facts)
  recorder.pass('ek-revocation', bytes, found)
  requireAnswers(statuses, mode === 'require', recorder)
  return statuses
}

const unseen: RevocationStatus = {
  outcome: 'unavailable',
  source: 'none',
  detail: 'not looked at, by configuration',
}

function passUnseen(
  certificates: CertificationPath['certificates'],
  recorder: CheckRecorder,
): RevocationStatus[] {
  recorder.pass('ek-revocation', certificates[0]?.fields.encoded, unseen.detail)
  recorder.pass('ek-revocation-unavailable', undefined, unseen.detail)
  return certificates.slice(0, -1).map(() => unseen)
}

function requireAnswers(
  statuses: readonly RevocationStatus[],
  isRequired: boolean,
  recorder: CheckRecorder,
): void {
  const missing = statuses.filter(({ outcome }) => outcome === 'unavailable')
  const found = missing.map(({ detail }) => detail).join('; ')
  if (missing.length > 0 && isRequired) recorder.refuse('ek-revocation-unavailable', { found })
  const answer = missing.length === 0 ? 'answered' : `not asked for: ${found}`
  recorder.pass('ek-revocation-unavailable', undefined, answer)
}

function describe({ outcome, source, detail }: RevocationStatus): string {
  return outcome === 'good' ? `good by ${source}` : `${outcome} (${detail})`
}
