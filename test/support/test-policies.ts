import { readFileSync } from 'node:fs'
import { AuthorizationSchema } from '../../src/core/authorization/schema.ts'

function read(name: string): string {
  return readFileSync(new URL(`../../ca/${name}`, import.meta.url), 'utf8')
}

/** The schema of this version. */
export const testSchema: AuthorizationSchema = AuthorizationSchema.prepare(
  read('authorization.cedarschema'),
)

/** What a new service begins with. */
export const starterPolicies: string = read('authorization-starter.cedar')
