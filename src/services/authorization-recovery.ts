import { AuthorizationPolicySet, canonicalPolicies } from '../core/authorization/policy-set.ts'
import type { AuthorizationSchema } from '../core/authorization/schema.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import { authorizationPolicies, keepVersion, nextVersion } from './policy-versions.ts'
import type { Service } from './service.ts'

/** Who acts where no operator can: whoever has the data directory. Stands in the log in an operator's place. */
export const localConsole = 'local-console'

/** What is in force after a recovery. */
export interface RecoveredPolicies {
  readonly version: number
  /** Digest of the set. */
  readonly id: string
  /** The version that was in force; it stays among the versions. */
  readonly replaces: number | null
}

/**
 * Puts a set of policies into force without an operator. No operator's signature stands behind it, only who holds the
 * keys of the log; the set in force is not asked, since it may deny everything or not even be readable.
 *
 * @param shipped the policies of this version and the schema that they are checked under
 * @throws ServiceError `policy-conflict`; AuthorizationError where `shipped` does not hold
 */
export async function recoverAuthorization(
  service: Pick<Service, 'store' | 'clock'>,
  { text, schema }: { readonly text: string; readonly schema: AuthorizationSchema },
  reason: string,
): Promise<RecoveredPolicies> {
  const policies = service.store.authorizationPolicies
  const version = await nextVersion(service, authorizationPolicies)
  const set = AuthorizationPolicySet.prepare(canonicalPolicies(text), version, schema)
  const detail = { schema: schema.id, from: 'recovery', reason }
  const kept = { version, id: set.id, document: set.text, detail }
  await keepVersion(service, authorizationPolicies, localConsole, kept)
  const before = (await policies.listActivations()).at(-1)
  const entry = auditEntry(
    service,
    authorizationPolicies.activated,
    localConsole,
    `${authorizationPolicies.subject}/${version}`,
    { policy: set.id, ...detail },
  )
  const activation = {
    sequence: (before?.sequence ?? 0) + 1,
    version,
    at: service.clock.now(),
    by: localConsole,
    jws: null,
  }
  if ((await policies.activate(activation, entry)) !== 'done')
    throw new ServiceError('policy-conflict', { found: `version ${version}` })
  return { version, id: set.id, replaces: before?.version ?? null }
}
