import { X509Certificate } from 'node:crypto'
import type { Service } from './service.ts'

/** The SPIFFE bundle of the trust domain, a JWK set (SPIFFE Trust Domain and Bundle §4). */
export interface TrustBundle {
  readonly keys: readonly Record<string, unknown>[]
  readonly spiffe_sequence: number
  readonly spiffe_refresh_hint: number
}

const refreshHintSeconds = 300

/** The root under which all certificates of this trust domain stand, with `use: x509-svid` and one `x5c` entry. */
export function trustBundle(service: Pick<Service, 'authority'>): TrustBundle {
  const root = service.authority.chain.at(-1)
  if (root === undefined) throw new TypeError('an authority has a chain')
  const { publicKey } = new X509Certificate(root)
  const jwk = publicKey.export({ format: 'jwk' })
  return {
    keys: [{ ...jwk, use: 'x509-svid', x5c: [Buffer.from(root).toString('base64')] }],
    spiffe_sequence: 1,
    spiffe_refresh_hint: refreshHintSeconds,
  }
}
