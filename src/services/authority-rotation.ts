import { createHash } from 'node:crypto'
import { serialNumber } from '../core/issuance/assembly.ts'
import type {
  AuthorityIntent,
  AuthorityPlace,
  AuthorityRecord,
  BundleAdoption,
} from '../ports/authority.ts'
import { auditEntry } from './audit-entry.ts'
import { createAuthorityRecord, hasEnded } from './authority-record.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/** Of what kind the next authority is: under the active one's root, or with a root of its own. */
export type AuthorityKind = 'intermediate' | 'root'

/** What a verb did. */
export interface AuthorityChanged {
  readonly authority: AuthorityRecord
  readonly bundleSequence: number
}

const shownMissing = 100

/**
 * Puts the first authority on record, that of the data directory, where there is none; reads what is there otherwise.
 */
export async function adoptFirstAuthority(
  service: Service,
  first: { readonly chain: readonly Uint8Array[]; readonly keyReference: string },
): Promise<void> {
  if (service.authorities.records.length === 0) {
    const now = service.clock.now()
    const made = createAuthorityRecord(first, { actor: 'service', now, reason: null })
    const record = { ...made, state: 'active', activatedAt: now } as const
    const entry = auditEntry(service, 'authority.activated', 'service', record.id, { first: true })
    await service.store.authorities.adopt(record, entry)
    await service.authorities.reload()
  }
  await setOrphansAside(service)
}

/**
 * Keys that no record names: a crash came between key and record, or the database is an older one than the keys. They
 * are put aside and never deleted, for in the second case the right database still wants them.
 */
async function setOrphansAside(service: Service): Promise<void> {
  const { records, keys } = service.authorities
  const orphans = keys.listOrphans(records.map(({ keyReference }) => keyReference))
  if (orphans.length === 0) return
  const { issuer } = service.settings
  const entry = auditEntry(service, 'authority.keys-orphaned', 'service', issuer, { keys: orphans })
  await service.store.audit.append(entry)
  keys.setAside(orphans)
}

/** What the root is about to sign, so that it is known also where the process ends before the record of it. */
async function recordIntent(
  service: Service,
  actor: string,
  intent: AuthorityIntent & {
    readonly kind: AuthorityKind
    readonly place: AuthorityPlace
    readonly serials: readonly [Uint8Array, Uint8Array]
  },
): Promise<void> {
  const { kind, place, keyReference: key, publicKey, serials } = intent
  const [root, serial] = serials.map(octets => Buffer.from(serialNumber(octets)).toString('hex'))
  const spki = createHash('sha256').update(publicKey).digest('hex')
  const detail = {
    kind,
    place,
    key,
    spki,
    serial,
    ...(kind === 'root' ? { rootSerial: root } : {}),
  }
  const { issuer } = service.settings
  const entry = auditEntry(service, 'authority.intended', actor, issuer, detail)
  await service.store.audit.append(entry)
}

/**
 * Makes the next authority. Its root is in the trust bundle from now on; it signs nothing before it is activated.
 *
 * @param request `place`: where its key is made; a standby's on another token than that of the one that issues
 * @throws ServiceError `authority-absent` for an intermediate where no authority is active; AuthorityKeyError
 */
export async function prepareAuthority(
  service: Service,
  actor: string,
  request: {
    readonly kind: AuthorityKind
    readonly place?: AuthorityPlace
    readonly reason: string | null
  },
): Promise<AuthorityChanged> {
  const { kind, place = 'issuing', reason } = request
  const root = kind === 'root' ? undefined : service.authorities.active().chain.at(-1)
  const serials = [service.random.bytes(16), service.random.bytes(16)] as const
  const now = service.clock.now()
  const created = await service.authorities.keys.create({
    root,
    place,
    now,
    serials,
    record: async intent => await recordIntent(service, actor, { ...intent, kind, place, serials }),
  })
  const record = createAuthorityRecord(created, { actor, now, reason })
  const detail = { kind, place, root: record.rootId, key: record.keyReference, reason }
  const entry = auditEntry(service, 'authority.prepared', actor, record.id, detail)
  const answer = await service.store.authorities.prepare(record, entry)
  if (answer === 'exists') throw new ServiceError('authority-state', { found: record.id })
  return await changed(service, record.id)
}

/**
 * Makes a prepared authority the one that issues; the one before it retires and stays trusted. Not before every active
 * host keeps a bundle with its root, unless it is forced.
 *
 * @throws ServiceError `authority-unknown`, `authority-state`, `authority-conflict`, `authority-expired`,
 *   `bundle-not-adopted`
 */
export async function activateAuthority(
  service: Service,
  actor: string,
  id: string,
  request: { readonly isForced: boolean; readonly reason: string | null },
): Promise<AuthorityChanged> {
  const { isForced, reason } = request
  const from = service.authorities.records.find(({ state }) => state === 'active')?.id ?? null
  const at = service.clock.now()
  const record = service.authorities.records.find(known => known.id === id)
  if (record !== undefined && hasEnded(record, at))
    throw new ServiceError('authority-expired', { found: id })
  const missing = isForced ? await listMissing(service, id) : []
  const detail = { from, reason, forced: isForced, missing: missing.length }
  const entry = auditEntry(service, 'authority.activated', actor, id, detail)
  const change = { at, by: actor, reason, from, isForced }
  const answer = await service.store.authorities.activate(id, change, entry)
  if (answer === 'bundle-not-adopted') throw notAdopted(await listMissing(service, id))
  if (answer === 'conflict') {
    await service.authorities.reload()
    throw new ServiceError('authority-conflict')
  }
  requireMoved(service, id, answer)
  return await changed(service, id)
}

/**
 * Says that nothing below an authority is to be relied on for long: it issues no more, its certificates are to be
 * renewed at once, and they are accepted until they are.
 *
 * @throws ServiceError `authority-unknown`, `authority-state`
 */
export async function taintAuthority(
  service: Service,
  actor: string,
  id: string,
  reason: string,
): Promise<AuthorityChanged & { readonly certificates: number }> {
  const entry = auditEntry(service, 'authority.tainted', actor, id, { reason })
  const change = { at: service.clock.now(), by: actor, reason }
  const answer = requireMoved(service, id, await service.store.authorities.taint(id, change, entry))
  return { ...(await changed(service, id)), ...answer }
}

/**
 * Takes an authority out of trust, and every certificate below it with it. Its root leaves the bundle with the last
 * authority that stands under it.
 *
 * @throws ServiceError `authority-unknown`, `authority-state` for one that still issues
 */
export async function revokeAuthority(
  service: Service,
  actor: string,
  id: string,
  reason: string,
): Promise<AuthorityChanged & { readonly certificates: number }> {
  const entry = auditEntry(service, 'authority.revoked', actor, id, { reason })
  const change = { at: service.clock.now(), by: actor, reason }
  const answer = requireMoved(
    service,
    id,
    await service.store.authorities.revoke(id, change, entry),
  )
  return { ...(await changed(service, id)), ...answer }
}

/**
 * Destroys the key of an authority that issues no more. On record before it is done; where the token fails, the same act
 * again finishes it.
 *
 * @throws ServiceError `authority-unknown`, `authority-state`, `authority-key-needed` while a certificate below it is in
 *   force and nothing forces it; AuthorityKeyError `authority-token-failed`
 */
export async function destroyAuthorityKey(
  service: Service,
  actor: string,
  id: string,
  request: { readonly isForced: boolean; readonly reason: string },
): Promise<AuthorityChanged> {
  const { isForced, reason } = request
  const entry = auditEntry(service, 'authority.key-destroyed', actor, id, {
    reason,
    forced: isForced,
  })
  const change = { at: service.clock.now(), by: actor, reason, isForced }
  const answer = await service.store.authorities.destroyKey(id, change, entry)
  if (answer === 'key-needed') throw new ServiceError('authority-key-needed')
  requireMoved(service, id, answer)
  const done = await changed(service, id)
  await service.authorities.keys.destroy(done.authority)
  return done
}

/** Which active host keeps which bundle. */
export async function listAdoptions(service: Service): Promise<BundleAdoption[]> {
  return await service.store.authorities.listAdoptions(service.clock.now())
}

async function listMissing(service: Service, id: string): Promise<BundleAdoption[]> {
  await service.authorities.reload()
  const wanted = service.authorities.records.find(authority => authority.id === id)
  const hosts = await listAdoptions(service)
  return hosts.filter(({ sequence }) => sequence < (wanted?.bundleSequence ?? 0))
}

function notAdopted(missing: readonly BundleAdoption[]): ServiceError {
  const names = missing.slice(0, shownMissing).map(({ name }) => name)
  return new ServiceError(
    'bundle-not-adopted',
    { found: `${missing.length} without it: ${names.slice(0, 10).join(', ')}` },
    { missing: missing.slice(0, shownMissing).map(({ hostId, name }) => ({ hostId, name })) },
  )
}

function requireMoved<Answer>(
  service: Service,
  id: string,
  answer: Answer | 'unknown' | 'state',
): Answer {
  if (answer === 'unknown') throw new ServiceError('authority-unknown', { found: id })
  if (answer !== 'state') return answer
  const state = service.authorities.records.find(authority => authority.id === id)?.state
  throw new ServiceError('authority-state', state === undefined ? {} : { found: state })
}

async function changed(service: Service, id: string): Promise<AuthorityChanged> {
  await service.authorities.reload()
  const authority = service.authorities.records.find(record => record.id === id)
  if (authority === undefined) throw new TypeError('what was just written is there')
  return { authority, bundleSequence: service.authorities.bundleSequence }
}
