import { createHmac } from 'node:crypto'
import { isEqual } from '../core/bytes/equal.ts'
import { encodeSpiffeId } from '../core/spiffe/spiffe-id.ts'
import type { Principal } from '../ports/records.ts'
import type { Service } from './service.ts'

/** A new identifier: 128 random bits, base64url. */
export function createId(service: Pick<Service, 'random'>): string {
  return identifierOf(service.random.bytes(16))
}

/** base64url that is no option on a command line: a dash does not come first. */
function identifierOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url').replace(/^-/, 'A')
}

const enrollmentRandomLength = 16
const enrollmentMacLength = 12

/**
 * A new identifier of an enrolment, base64url: 128 random bits, and a keyed hash of them by which this service knows
 * it for one of its own before it reads what else is sent.
 */
export function createEnrollmentId(service: Pick<Service, 'random' | 'privacyKey'>): string {
  const random = service.random.bytes(enrollmentRandomLength)
  return Buffer.concat([random, enrollmentMac(service, random)]).toString('base64url')
}

/** True for an identifier that {@link createEnrollmentId} made, whatever became of its enrolment. */
export function isEnrollmentId(service: Pick<Service, 'privacyKey'>, id: string): boolean {
  const bytes = Buffer.from(id, 'base64url')
  const random = bytes.subarray(0, enrollmentRandomLength)
  return isEqual(bytes.subarray(enrollmentRandomLength), enrollmentMac(service, random))
}

function enrollmentMac(service: Pick<Service, 'privacyKey'>, random: Uint8Array): Buffer {
  return createHmac('sha256', service.privacyKey)
    .update('assay/enrollment/')
    .update(random)
    .digest()
    .subarray(0, enrollmentMacLength)
}

/** `spiffe://<trust domain>/host/<id>` */
export function hostSpiffeId(service: Pick<Service, 'settings'>, hostId: string): string {
  return encodeSpiffeId({ trustDomain: service.settings.trustDomain, segments: ['host', hostId] })
}

/** `spiffe://<trust domain>/agent/<class>/<id>` */
export function agentSpiffeId(
  service: Pick<Service, 'settings'>,
  className: string,
  agentId: string,
): string {
  return encodeSpiffeId({
    trustDomain: service.settings.trustDomain,
    segments: ['agent', className, agentId],
  })
}

/** `spiffe://<trust domain>/operator/<id>` */
export function operatorSpiffeId(service: Pick<Service, 'settings'>, operatorId: string): string {
  return encodeSpiffeId({
    trustDomain: service.settings.trustDomain,
    segments: ['operator', operatorId],
  })
}

/** The one name of a client: its SPIFFE ID; `client_id` and `sub` of its tokens. */
export function clientSpiffeId(service: Pick<Service, 'settings'>, client: Principal): string {
  if (client.kind === 'host') return hostSpiffeId(service, client.host.id)
  if (client.kind === 'agent')
    return agentSpiffeId(service, client.agent.className, client.agent.id)
  return operatorSpiffeId(service, client.operator.id)
}

/** The identifier under which a store knows the client. */
export function clientId(client: Principal): string {
  if (client.kind === 'host') return client.host.id
  if (client.kind === 'agent') return client.agent.id
  return client.operator.id
}

/**
 * The id of the host with this TPM, 128 bits, base64url: the same whenever and however often it enrols, and telling
 * nothing about the TPM.
 *
 * @param known as {@link endorsementId} gives it
 */
export function hostIdOf(service: Pick<Service, 'privacyKey'>, known: string): string {
  const mac = createHmac('sha256', service.privacyKey).update(`assay/host/${known}`).digest()
  return identifierOf(mac.subarray(0, 16))
}

/**
 * How this service knows a TPM: a keyed hash of its EK, stable here and unlinkable elsewhere (base64url, 32 bytes).
 *
 * @param spkiSha256 hex SHA-256 of the EK's SubjectPublicKeyInfo
 */
export function endorsementId(service: Pick<Service, 'privacyKey'>, spkiSha256: string): string {
  return createHmac('sha256', service.privacyKey)
    .update(`assay/endorsement/${spkiSha256}`)
    .digest('base64url')
}
