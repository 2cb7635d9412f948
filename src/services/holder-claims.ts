import { createHash } from 'node:crypto'
import type { HolderClaims } from '../core/token/access-token.ts'
import type { ClientRecord, HostRecord } from '../ports/records.ts'

/**
 * What a token says of its holder, from the record.
 *
 * @param run minted for this token; hosts and operators run nothing
 */
export function holderClaims(client: ClientRecord, run: string): HolderClaims {
  if (client.kind === 'operator') {
    const { role, keyProtection } = client.operator
    return { kind: 'operator', role, key_protection: keyProtection }
  }
  const { id, assurance, evidenceSha256, attestedAt } = client.host
  const host = {
    host: id,
    assurance,
    evidence: evidenceSha256,
    attestation_result: resultDigest(client.host),
    attested_at: Math.floor(attestedAt / 1000),
  }
  if (client.kind === 'host') return { kind: 'host', ...host }
  const { className } = client.agent
  const { owner } = client.agentClass
  return { kind: 'agent', class: className, ...(owner === null ? {} : { owner }), run, ...host }
}

/** By the record, which the client directory hands out again for a while: verdicts are long texts. */
const digests = new WeakMap<HostRecord, string>()

function resultDigest(host: HostRecord): string {
  let digest = digests.get(host)
  if (digest === undefined) {
    digest = createHash('sha256').update(host.attestationResult).digest('hex')
    digests.set(host, digest)
  }
  return digest
}
