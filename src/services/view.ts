import type { AnchorRecord, AgentRecord, HostRecord } from '../ports/records.ts'

/** An anchor as the API shows it. */
export function anchorView(anchor: AnchorRecord): Record<string, unknown> {
  return { ...anchor, certificate: Buffer.from(anchor.certificate).toString('base64url') }
}

/** A host as the API shows it: the verdict opened, the TPM's own identifiers left out (they are for this service alone). */
export function hostView(host: HostRecord, spiffeId: string): Record<string, unknown> {
  const {
    attestationPublic: _public,
    endorsementId: _endorsement,
    platformState: _state,
    stateVersion: _version,
    attestationResult,
    ...shown
  } = host
  return { ...shown, spiffeId, attestationResult: JSON.parse(attestationResult) as unknown }
}

/** An agent as the API shows it. */
export function agentView(agent: AgentRecord, spiffeId: string): Record<string, unknown> {
  return { ...agent, spiffeId }
}

/** DER as PEM. */
export function pem(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
