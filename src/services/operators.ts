import { importJwk, thumbprint, type PublicJwk } from '../core/jose/jwk.ts'
import type { OperatorRecord, OperatorRole } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import { createId } from './naming.ts'
import type { Service } from './service.ts'

/** A person or relying party to register: a public key, never a password. */
export interface OperatorRequest {
  readonly name: string
  readonly role: OperatorRole
  readonly keyProtection: OperatorRecord['keyProtection']
  readonly jwk: PublicJwk
  /** What a relying party speaks for; none where left out. */
  readonly audiences?: readonly string[]
}

/**
 * Registers the key of an operator.
 *
 * @param actor who does it; `service` for the first one, at `assay init`
 * @throws ServiceError `key-in-use`; JoseError `jwk-malformed` for a point off the curve
 */
export async function registerOperator(
  service: Pick<Service, 'store' | 'clock' | 'random'>,
  actor: string,
  request: OperatorRequest,
): Promise<OperatorRecord> {
  importJwk(request.jwk)
  const jkt = thumbprint(request.jwk)
  const { name, role, keyProtection, audiences = [] } = request
  const operator: OperatorRecord = {
    id: createId(service),
    name,
    role,
    keyProtection,
    jkt,
    status: 'active',
    createdAt: service.clock.now(),
    createdBy: actor,
    audiences,
  }
  const entry = auditEntry(service, 'operator.registered', actor, operator.id, {
    name,
    role,
    keyProtection,
    jkt,
    audiences,
  })
  const answer = await service.store.operators.add(
    operator,
    { jkt, jwk: JSON.stringify(request.jwk), provenAt: null },
    entry,
  )
  if (answer === 'key-in-use') throw new ServiceError('key-in-use', { found: jkt })
  return operator
}

/** All operators, revoked ones too. */
export async function listOperators(service: Service): Promise<OperatorRecord[]> {
  return service.store.operators.list()
}
