import type { RegisteredHsmKey } from '../core/formats/evidence-format.ts'
import { tokenSha256, type HsmToken } from '../core/formats/hsm/token.ts'
import { VerifiedHsmKey } from '../core/formats/hsm/verified.ts'
import type { ProvenKey } from '../core/issuance/credential.ts'
import { importJwk, parsePublicJwk, thumbprint, type PublicJwk } from '../core/jose/jwk.ts'
import type { HsmKeyRecord } from '../ports/hsm-records.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import { endorsementId } from './naming.ts'
import type { Service } from './service.ts'

/** What an operator says of an attestation key: read at the token, in a ceremony. */
export interface HsmKeyRegistration {
  readonly name: string
  readonly jwk: PublicJwk
  readonly token: HsmToken
}

/**
 * Registers the attestation key of a token. From then on what this key states of keys in that token is taken for so, at
 * the level `hsm-declared`: the operator vouches for the token and for who has its PIN.
 *
 * @throws JoseError `jwk-malformed`; ServiceError `hsm-key-exists`
 */
export async function registerHsmKey(
  service: Service,
  actor: string,
  { name, jwk, token }: HsmKeyRegistration,
): Promise<HsmKeyRecord> {
  importJwk(jwk)
  const record: HsmKeyRecord = {
    jkt: thumbprint(jwk),
    jwk: JSON.stringify(jwk),
    name,
    manufacturer: token.manufacturer,
    model: token.model,
    tokenId: endorsementId(service, tokenSha256(token)),
    registeredAt: service.clock.now(),
    registeredBy: actor,
    retiredAt: null,
    retiredBy: null,
    retirementReason: null,
  }
  const { jkt, manufacturer, model, tokenId } = record
  const detail = { name, manufacturer, model, token: tokenId }
  const entry = auditEntry(service, 'hsm-key.registered', actor, jkt, detail)
  const answer = await service.store.hsmKeys.add(record, entry)
  if (answer === 'exists') throw new ServiceError('hsm-key-exists', { found: jkt })
  return record
}

/** All attestation keys, newest first. */
export async function listHsmKeys(service: Pick<Service, 'store'>): Promise<HsmKeyRecord[]> {
  return service.store.hsmKeys.list()
}

/**
 * Takes an attestation key out of use: nothing that it states counts any more. Hosts that are in are revoked by
 * themselves.
 *
 * @throws ServiceError `hsm-key-unknown`, `hsm-key-retired`
 */
export async function retireHsmKey(
  service: Service,
  actor: string,
  jkt: string,
  reason: string,
): Promise<void> {
  const change = { at: service.clock.now(), by: actor, reason }
  const entry = auditEntry(service, 'hsm-key.retired', actor, jkt, { reason })
  const answer = await service.store.hsmKeys.retire(jkt, change, entry)
  if (answer === 'unknown') throw new ServiceError('hsm-key-unknown', { found: jkt })
  if (answer === 'already') throw new ServiceError('hsm-key-retired', { found: jkt })
}

/** Thumbprint of the registered attestation key that vouched for a proven key; null where none did. */
export function registeredJktOf(key: ProvenKey): string | null {
  return key instanceof VerifiedHsmKey ? (key.registeredJkt ?? null) : null
}

/** The attestation keys that are in use, as the verifier takes them. */
export async function loadRegisteredHsmKeys(
  service: Pick<Service, 'store' | 'privacyKey'>,
): Promise<RegisteredHsmKey[]> {
  const keys = await service.store.hsmKeys.list()
  return keys
    .filter(({ retiredAt }) => retiredAt === null)
    .map(({ jwk, tokenId }) => ({
      jwk: parsePublicJwk(JSON.parse(jwk)),
      isToken: sha256 => endorsementId(service, sha256) === tokenId,
    }))
}
