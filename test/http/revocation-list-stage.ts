import type { ExecutionContext } from 'ava'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import type { Settings } from '../../src/services/service.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import type { EmulatedAuthority } from '../../swtpm/emulated/certificate.ts'
import {
  createEmulatedManufacturer,
  type EmulatedManufacturer,
} from '../../swtpm/emulated/manufacturer.ts'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, type TestCaller } from '../support/test-caller.ts'
import { publishList, type PublishedList } from '../support/test-lists.ts'

/** A service that knows a manufacturer, and a TPM of it. */
export interface Scene {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly manufacturer: EmulatedManufacturer
  readonly tpm: EmulatedTpm
}

/** A service on which root and intermediate of a manufacturer are in force. */
export async function begin(
  t: ExecutionContext,
  endorsements: Partial<Settings['endorsements']> = {},
): Promise<Scene> {
  const base = {
    revocation: 'when-available',
    revocationByVendor: {},
    maxAgeSeconds: 30 * 86_400,
    expired: 'refuse',
  } as const
  const api = await startTestApi(t, { endorsements: { ...base, ...endorsements } })
  const operator = await createOperator(api)
  const manufacturer = createEmulatedManufacturer(api.clock.now())
  const labels = { name: 'maker', vendor: manufacturer.vendor, assurance: 'emulated' }
  const certificates = [manufacturer.root, manufacturer.issuer].map(({ certificate }) => ({
    ...labels,
    certificate: encodeBase64url(certificate),
  }))
  const taken = await call(api, operator, 'POST', '/v1/anchors/import', { certificates })
  const rows = taken.json['certificates'] as { fingerprint: string }[]
  const fingerprints = rows.map(row => row.fingerprint)
  await call(api, operator, 'POST', '/v1/anchors/approve', { fingerprints })
  return { api, operator, manufacturer, tpm: new EmulatedTpm({ manufacturer }) }
}

/** An operator brings a list. */
export async function add({ api, operator }: Scene, list: Uint8Array): Promise<TestAnswer> {
  const body = { list: encodeBase64url(list), source: 'http://ek.example/a.crl' }
  return await call(api, operator, 'POST', '/v1/revocation-lists', body)
}

/** A list of the manufacturer. */
export function published(
  { api, manufacturer }: Scene,
  parts: Partial<PublishedList> = {},
  authority: EmulatedAuthority = manufacturer.issuer,
): Uint8Array {
  return publishList(authority, { now: api.clock.now(), ...parts })
}

/** The lists as they are shown. */
export async function kept({ api, operator }: Scene): Promise<Record<string, unknown>[]> {
  const { json } = await call(api, operator, 'GET', '/v1/revocation-lists')
  return json['revocationLists'] as Record<string, unknown>[]
}
