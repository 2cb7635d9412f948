import { createHash } from 'node:crypto'
import { prepareIssuer } from '../core/issuance/issuer.ts'
import type { AuthorityRecord, CreatedAuthority } from '../ports/authority.ts'

/** The record of an authority before anything was done with it. */
export function createAuthorityRecord(
  created: CreatedAuthority,
  by: { readonly actor: string; readonly now: number; readonly reason: string | null },
): AuthorityRecord {
  const { chain, keyReference } = created
  const [issuing, root] = [chain[0], chain.at(-1)]
  if (issuing === undefined || root === undefined) throw new TypeError('an authority has a chain')
  return {
    id: fingerprint(issuing),
    rootId: fingerprint(root),
    chain,
    keyReference,
    state: 'prepared',
    bundleSequence: 0,
    preparedAt: by.now,
    preparedBy: by.actor,
    activatedAt: null,
    changedAt: by.now,
    changedBy: by.actor,
    reason: by.reason,
    keyDestroyedAt: null,
  }
}

/** Whether an authority's own certificate is over, or so nearly that nothing below it would be of use. */
export function hasEnded(
  { chain: [issuing] }: Pick<AuthorityRecord, 'chain'>,
  now: number,
): boolean {
  if (issuing === undefined) throw new TypeError('an authority has a chain')
  return prepareIssuer(issuing).notAfter <= now + 1000
}

function fingerprint(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('hex')
}
