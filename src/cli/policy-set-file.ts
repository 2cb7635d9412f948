import { readFile } from 'node:fs/promises'
import { AuthorizationPolicySet, canonicalPolicies } from '../core/authorization/policy-set.ts'
import { AuthorizationSchema } from '../core/authorization/schema.ts'
import { CommandError } from './command-error.ts'

/**
 * Reads a file of Cedar policies and checks it as the service will, in the one form in which it is kept.
 *
 * @throws CommandError `file-unreadable`; AuthorizationError `authorization-…`, naming the policy
 */
export async function loadPolicySetFile(path: string): Promise<AuthorizationPolicySet> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new CommandError('file-unreadable', { expected: 'Cedar policies', found: path, cause })
  }
  return readPolicySet(canonicalPolicies(text), await loadSchema())
}

/**
 * A set as the service gave it, read as strictly as one that is sent to it.
 *
 * @throws AuthorizationError `authorization-…`
 */
export function readPolicySet(text: string, schema: AuthorizationSchema): AuthorizationPolicySet {
  return AuthorizationPolicySet.prepare(text, 0, schema)
}

/** The schema of this version. */
export async function loadSchema(): Promise<AuthorizationSchema> {
  const path = new URL('../../ca/authorization.cedarschema', import.meta.url)
  return AuthorizationSchema.prepare(await readFile(path, 'utf8'))
}
