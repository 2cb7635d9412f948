import type { GrantRequestRecord } from '../ports/grant-requests.ts'
import type { HsmKeyRecord } from '../ports/hsm-records.ts'
import type {
  AgentRecord,
  AnchorRecord,
  AttestationRecord,
  HostRecord,
  PolicyActivation,
  PolicyRecord,
} from '../ports/records.ts'
import { agentSpiffeId } from './naming.ts'
import type { Service } from './service.ts'

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

/** An attestation as the API shows it: the verdict, and of the Evidence its digest alone. */
export function attestationView(record: AttestationRecord): Record<string, unknown> {
  const { evidence: _evidence, context: _context, ear: _ear, verdict, ...shown } = record
  return { ...shown, verdict: JSON.parse(verdict) as unknown }
}

/** A version of the policy as the API shows it: the document opened. */
export function policyView(policy: PolicyRecord): Record<string, unknown> {
  return { ...policy, document: JSON.parse(policy.document) as unknown }
}

/** An activation as the API shows it. */
export function policyActivationView(activation: PolicyActivation): Record<string, unknown> {
  return { ...activation }
}

/** A grant request as the API shows it: the details opened, and what is past its time as such. */
export function grantRequestView(
  service: Pick<Service, 'clock' | 'settings'>,
  { details, operatorId: _operator, ...request }: GrantRequestRecord,
): Record<string, unknown> {
  const isOver = request.expiresAt <= service.clock.now()
  const isOpen = request.status === 'pending' || request.status === 'approved'
  return {
    ...request,
    agent: agentSpiffeId(service, request.className, request.agentId),
    status: isOpen && isOver ? 'expired' : request.status,
    details: details === null ? null : (JSON.parse(details) as unknown),
  }
}

/** DER as PEM. */
export function pem(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

/** An attestation key of an HSM; its token by the keyed hash alone. */
export function hsmKeyView({ jwk, ...key }: HsmKeyRecord): Record<string, unknown> {
  const status = key.retiredAt === null ? 'active' : 'retired'
  return { ...key, jwk: JSON.parse(jwk) as unknown, status }
}
