import type { CreatedTokenKey, TokenKeyRecord } from '../ports/token-key.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'
import { announceSeconds, overlapSeconds, standingOf, tokenKeysAt } from './token-key-standing.ts'
import { tokenVerificationKey } from './token-keys.ts'

type Ringed = Pick<Service, 'settings' | 'store' | 'clock' | 'tokenKeys'>

/**
 * Puts the first key on record where there is none, and opens the ring. Key files that no record names are put aside: a
 * crash came between key and record, or the database is an older one than the keys. A key that such a crash left in a
 * token stays there.
 *
 * @param first makes out the key that a data directory was made with
 * @throws StoreError; what a place throws for a key that cannot be used
 */
export async function startTokenKeys(service: Ringed, first: () => CreatedTokenKey): Promise<void> {
  const { store, tokenKeys } = service
  if ((await store.tokenKeys.list()).length === 0) {
    const now = service.clock.now()
    const record = recordOf(first(), { at: now, by: 'service', reason: null, signsFrom: now })
    const detail = { key: record.keyReference }
    const entry = auditEntry(service, 'token-key.adopted', 'service', record.kid, detail)
    await store.tokenKeys.adopt(record, entry)
  }
  await tokenKeys.reload()
  await setOrphansAside(service)
}

async function setOrphansAside(service: Ringed): Promise<void> {
  const { records, places } = service.tokenKeys
  const orphans = places.listOrphans(records.map(({ keyReference }) => keyReference))
  if (orphans.length === 0) return
  const { issuer } = service.settings
  const detail = { keys: orphans }
  const entry = auditEntry(service, 'token-key.files-orphaned', 'service', issuer, detail)
  await service.store.audit.append(entry)
  places.setAside(orphans)
}

const turns = new WeakMap<object, Promise<unknown>>()

/** One after the other in this process, so that contenders make no keys that nobody needs. */
async function inTurn<T>({ tokenKeys }: Ringed, work: () => Promise<T>): Promise<T> {
  const before = turns.get(tokenKeys) ?? Promise.resolve()
  const turn = before.then(work, work)
  turns.set(tokenKeys, turn)
  return await turn
}

/** How a rotation is asked for. */
export interface RotationRequest {
  /** Sign with the new key at once, whoever does not know it yet. */
  readonly isForced: boolean
  readonly reason: string | null
  /** The signing key as the caller saw it: another one by now, and nothing is done. */
  readonly from?: string | undefined
}

/**
 * Makes the next key. It is published at once and signs when every copy of the key set may be expected to have it; the
 * one before stays published until the last of its tokens is over. By force it signs at once, and so does a key that
 * was announced before.
 *
 * @throws ServiceError `token-key-conflict` while one is announced, or where another key signs than was named
 */
export async function rotateTokenKey(
  service: Ringed,
  actor: string,
  request: RotationRequest,
): Promise<TokenKeyRecord> {
  return await inTurn(service, async () => {
    await service.tokenKeys.reload()
    const now = service.clock.now()
    const { signing, published } = tokenKeysAt(service.tokenKeys.records, now)
    if (signing === undefined) throw new ServiceError('token-key-absent')
    if (request.from !== undefined && request.from !== signing.kid) throw conflict(signing.kid)
    const announced = published.find(({ signsFrom }) => signsFrom > now)
    if (announced === undefined) return await follow(service, actor, signing, request)
    if (!request.isForced) throw conflict(announced.kid)
    return await hasten(service, actor, { signing, announced }, request.reason)
  })
}

async function follow(
  service: Ringed,
  actor: string,
  { kid: from }: TokenKeyRecord,
  { isForced, reason }: RotationRequest,
): Promise<TokenKeyRecord> {
  const { settings, store, tokenKeys } = service
  const created = await tokenKeys.places.create()
  const now = service.clock.now()
  const signsFrom = isForced ? now : now + announceSeconds(settings) * 1000
  const publishedUntil = signsFrom + overlapSeconds(settings) * 1000
  const record = recordOf(created, { at: now, by: actor, reason, signsFrom })
  const detail = {
    from,
    key: record.keyReference,
    signsFrom,
    publishedUntil,
    forced: isForced,
    reason,
  }
  const entry = auditEntry(service, 'token-key.rotated', actor, record.kid, detail)
  const answer = await store.tokenKeys.rotate(record, { from, publishedUntil, now }, entry)
  if (answer !== 'done') {
    await tokenKeys.places.discard(created)
    throw conflict(from)
  }
  return await changed(service, record.kid)
}

async function hasten(
  service: Ringed,
  actor: string,
  { signing, announced }: { readonly signing: TokenKeyRecord; readonly announced: TokenKeyRecord },
  reason: string | null,
): Promise<TokenKeyRecord> {
  const now = service.clock.now()
  const { kid } = announced
  const publishedUntil = now + overlapSeconds(service.settings) * 1000
  const detail = { from: signing.kid, publishedUntil, reason }
  const entry = auditEntry(service, 'token-key.hastened', actor, kid, detail)
  const rotation = { from: signing.kid, publishedUntil, now }
  if ((await service.store.tokenKeys.hasten(kid, rotation, entry)) !== 'done') throw conflict(kid)
  return await changed(service, kid)
}

/** How a key is taken out. */
export interface RetirementRequest {
  readonly reason: string
  /** Where its successor is made, if it takes one: `embedded` where the usual place is away and this cannot wait. */
  readonly successor?: 'embedded' | undefined
}

/**
 * Takes a key out at once: nothing that it signed is good from now on. The one that signs is followed by the announced
 * one, or by a new one, in the same transaction.
 *
 * @throws ServiceError `token-key-unknown`, `token-key-state` for one that is out already, `token-key-conflict`;
 *   SignerError `signer-down` where the successor cannot be made, and then nothing was done
 */
export async function retireTokenKey(
  service: Ringed,
  actor: string,
  kid: string,
  { reason, successor: where }: RetirementRequest,
): Promise<TokenKeyRecord> {
  return await inTurn(service, async () => {
    await service.tokenKeys.reload()
    const { places } = service.tokenKeys
    const successor = await successorOf(service, kid, actor, where)
    const withdrawal = { at: service.clock.now(), by: actor, reason }
    const next = successor && { successor: successor.kid, key: successor.keyReference }
    const detail = { reason, ...next }
    const entry = auditEntry(service, 'token-key.retired', actor, kid, detail)
    const answer = await service.store.tokenKeys.withdraw(kid, withdrawal, successor, entry)
    if (answer === 'done') return await changed(service, kid)
    if (successor !== undefined) await places.discard(successor)
    if (answer === 'unknown') throw new ServiceError('token-key-unknown', { found: kid })
    if (answer === 'state') throw new ServiceError('token-key-state', { found: kid })
    throw conflict(kid)
  })
}

/** The key that signs has nobody after it unless one is announced. */
async function successorOf(
  service: Ringed,
  kid: string,
  actor: string,
  where: RetirementRequest['successor'],
): Promise<TokenKeyRecord | undefined> {
  const { records, places } = service.tokenKeys
  const now = service.clock.now()
  const key = records.find(record => record.kid === kid)
  if (key === undefined || standingOf(key, records, now) !== 'signing') return undefined
  if (records.some(record => standingOf(record, records, now) === 'announced')) return undefined
  const at = service.clock.now()
  return recordOf(await places.create(where), { at, by: actor, reason: null, signsFrom: at })
}

function recordOf(
  { publicKey, keyReference }: CreatedTokenKey,
  made: {
    readonly at: number
    readonly by: string
    readonly reason: string | null
    readonly signsFrom: number
  },
): TokenKeyRecord {
  return {
    kid: tokenVerificationKey(publicKey).kid,
    publicKey,
    keyReference,
    createdAt: made.at,
    createdBy: made.by,
    signsFrom: made.signsFrom,
    publishedUntil: null,
    withdrawnAt: null,
    withdrawnBy: null,
    reason: made.reason,
  }
}

async function changed(service: Ringed, kid: string): Promise<TokenKeyRecord> {
  await service.tokenKeys.reload()
  const record = service.tokenKeys.records.find(key => key.kid === kid)
  if (record === undefined) throw new TypeError('what was just written is there')
  return record
}

function conflict(kid: string): ServiceError {
  return new ServiceError('token-key-conflict', { found: kid })
}
