import { createHash, X509Certificate } from 'node:crypto'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'
import { tokenKeySet } from './token-metadata.ts'

/** The SPIFFE bundle of the trust domain, a JWK set (SPIFFE Trust Domain and Bundle §4). */
export interface TrustBundle {
  readonly keys: readonly Record<string, unknown>[]
  readonly spiffe_sequence: number
  readonly spiffe_refresh_hint: number
}

/** What token keys are for in a bundle (JWT-SVID §5, WIT-SVID). */
const tokenUses = ['jwt-svid', 'wit-svid'] as const

/**
 * The bundle as it is now: the roots of all authorities that are not revoked, each once, with `use: x509-svid`, one
 * `x5c` entry and no `kid`; and the token keys, with their `kid`. Its sequence grows with each change of either.
 *
 * @see SPIFFE Trust Domain and Bundle §4.1, §4.2
 */
export async function trustBundle(service: Service): Promise<TrustBundle> {
  // What another process changed a moment ago must not come out under the sequence of before.
  await service.tokenKeys.read()
  const tokenKeys = bundleTokenKeys(service)
  await publishTokenKeys(service, tokenKeys)
  const { authorities, bundleSequence } = await service.store.authorities.read()
  const roots = new Map(
    authorities
      .filter(({ state }) => state !== 'revoked')
      // Of the set of roots alone: which authorities stand under them must not change a byte.
      .toSorted((a, b) => (a.rootId < b.rootId ? -1 : 1))
      .map(({ rootId, chain }) => [rootId, chain.at(-1) ?? new Uint8Array()]),
  )
  return {
    keys: [...[...roots.values()].map(encodeRoot), ...tokenKeys],
    spiffe_sequence: bundleSequence,
    spiffe_refresh_hint: service.settings.bundleRefreshSeconds,
  }
}

function encodeRoot(root: Uint8Array): Record<string, unknown> {
  const jwk = new X509Certificate(root).publicKey.export({ format: 'jwk' })
  return { ...jwk, use: 'x509-svid', x5c: [Buffer.from(root).toString('base64')] }
}

function bundleTokenKeys(service: Service): Record<string, unknown>[] {
  const { keys } = tokenKeySet(service)
  return tokenUses.flatMap(use => keys.map(key => ({ ...key, use })))
}

const published = new WeakMap<Service, string>()

/** Token keys that nobody has seen in a bundle make the next one. */
async function publishTokenKeys(
  service: Service,
  keys: readonly Record<string, unknown>[],
): Promise<void> {
  const digest = createHash('sha256')
    .update(JSON.stringify([keys, service.settings.bundleRefreshSeconds]))
    .digest('hex')
  if (published.get(service) === digest) return
  const kids = [...new Set(keys.map(({ kid }) => kid))]
  const entry = auditEntry(service, 'bundle.published', 'service', service.settings.trustDomain, {
    tokenKeys: kids,
  })
  await service.store.authorities.publishKeys(digest, entry)
  published.set(service, digest)
  await service.authorities.reload()
}

/**
 * Records that a host keeps a bundle, of which activation depends. Saying it again changes nothing.
 *
 * @throws ServiceError `bundle-sequence`, `host-revoked`
 */
export async function recordAdoption(
  service: Service,
  host: { readonly id: string; readonly spiffeId: string },
  sequence: number,
): Promise<void> {
  const at = service.clock.now()
  const entry = auditEntry(service, 'bundle.adopted', host.spiffeId, host.id, { sequence })
  const answer = await service.store.authorities.recordAdoption(host.id, { sequence, at }, entry)
  if (answer === 'ahead') throw new ServiceError('bundle-sequence', { found: `${sequence}` })
  if (answer === 'host-revoked') throw new ServiceError('host-revoked', { found: host.id })
}
