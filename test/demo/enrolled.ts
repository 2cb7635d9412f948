import { ServiceClient } from '../../src/attester/service-client.ts'
import type { ProtectedApi } from './protected-api.ts'

/** What the first chapters leave for the later ones. */
export interface Enrolled {
  readonly operator: ServiceClient
  readonly fingerprint: string
  readonly hostId: string
  readonly agents: readonly string[]
  readonly api: ProtectedApi
}

/** A token that the first agent fetched, and the header that proves its key for one request. */
export interface Fetched {
  readonly token: string
  readonly proof: string
}

/** The class of the agents. */
export const className = 'order-bot'
