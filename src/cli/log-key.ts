import { ClientError } from '../attester/client-error.ts'
import type { Home } from '../attester/home.ts'
import type { ServiceClient } from '../attester/service-client.ts'
import { parseVerifierKey } from '../core/log/note-key.ts'

/**
 * The verifier key of the service's audit log, to be pinned when a home comes to know the service: fetched over the
 * connection whose root was just pinned. Where the home has one already, that one stays.
 *
 * @throws ClientError `service-answer`; LogError `note-key-malformed`
 */
export async function pinLogKey(client: ServiceClient, home: Home): Promise<string> {
  const known = (await home.findService())?.logKey
  if (known !== undefined) return known
  const bytes = await client.readRaw('/audit/key')
  if (bytes === undefined) throw new ClientError('service-answer', { expected: '/audit/key' })
  const text = Buffer.from(bytes).toString('utf8').trimEnd()
  const { name } = parseVerifierKey(text)
  const expected = `${new URL(client.issuer).host}/audit`
  if (name !== expected) throw new ClientError('service-answer', { expected, found: name })
  return text
}
