import { staleness } from '../core/x509/revocation.ts'
import { verifyIssuerWord, type VerifiedWord } from '../core/verifier/revocation-list.ts'
import type { RevocationListSummary } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import { loadAuthorities } from './enrollment-keys.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/** An issuer's word, and where it came from. */
export interface OfferedList {
  /** DER, untrusted. */
  readonly list: Uint8Array
  readonly source: string
}

/** A word that is kept. */
export interface KeptList extends RevocationListSummary {
  /** Whether it is too old to clear anybody, by itself or by configuration; what it revokes stays revoked. */
  readonly isStale: boolean
}

/**
 * Takes in what an authority in force said: a list, or the answer of a responder. It takes the place of the older one
 * on the same certificates.
 *
 * @throws RevocationListError; ServiceError `revocation-list-older`
 * @see RFC 5280 §6.3.3; verification E9
 */
export async function addRevocationList(
  service: Service,
  actor: string,
  offered: OfferedList,
): Promise<KeptList> {
  const { anchors, intermediates } = await loadAuthorities(service)
  const issuers = [...anchors.map(({ certificate }) => certificate), ...intermediates]
  return await keepRevocationList(service, actor, offered, issuers)
}

/**
 * As {@link addRevocationList}, of authorities that a verified path holds.
 *
 * @param issuers DER certificates
 */
export async function keepRevocationList(
  service: Service,
  actor: string,
  { list, source }: OfferedList,
  issuers: readonly Uint8Array[],
): Promise<KeptList> {
  const now = service.clock.now()
  const word = verifyIssuerWord(list, issuers, new Date(now))
  const record = { ...word, bytes: list, source, addedAt: now, addedBy: actor }
  const { id, issuer } = word
  const entry = auditEntry(service, 'revocation-list.added', actor, id, factsOf(word))
  const answer = await service.store.revocationLists.put(record, entry)
  if (answer === 'older') throw new ServiceError('revocation-list-older', { found: issuer })
  const { bytes: _bytes, ...summary } = record
  const known = answer === 'known' ? await findKept(service, id) : undefined
  return withStaleness(service, known ?? summary)
}

/** For the log: serial numbers and locations would name machines there. */
function factsOf(word: VerifiedWord): Record<string, unknown> {
  const { kind, issuer, issuerFingerprint, number, revoked } = word
  return { kind, issuer, issuerFingerprint, number: number.toString(), revoked }
}

async function findKept(service: Service, id: string): Promise<RevocationListSummary | undefined> {
  const kept = await service.store.revocationLists.list()
  return kept.find(row => row.id === id)
}

/** The words that are kept, by name of their issuers. */
export async function listRevocationLists(service: Service): Promise<KeptList[]> {
  const kept = await service.store.revocationLists.list()
  return kept.map(row => withStaleness(service, row))
}

function withStaleness(service: Service, row: RevocationListSummary): KeptList {
  const { maxAgeSeconds } = service.settings.endorsements
  const word = { thisUpdate: row.thisUpdate, nextUpdate: row.nextUpdate ?? undefined }
  const stale = staleness(word, { time: service.clock.now(), maxAgeSeconds })
  return { ...row, isStale: stale !== undefined }
}
