import { X509Certificate } from 'node:crypto'
import test from 'ava'
import { createResponderKey } from '../../src/hsm/responder-key.ts'
import type { WatchedSigner } from '../../src/ports/signer.ts'
import { OcspResponders } from '../../src/services/ocsp-responders.ts'
import { verifyTestLog } from '../support/test-api.ts'
import { createTestService } from '../support/test-service.ts'

test('a signer that is down is not asked for the service’s own certificates, and the log is not filled with them', async t => {
  const { service } = await createTestService(t)
  const { publicKey } = new X509Certificate(service.authorities.active().chain[0] ?? '')
  const state = { isUp: false, since: 0, waiting: 0, reason: 'CKR_DEVICE_REMOVED' }
  const signer = {
    publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
    role: 'issuing',
    state: () => state,
    close: async () => await Promise.resolve(),
  }
  ;(service.signers as WatchedSigner[]).push(signer as unknown as WatchedSigner)
  const intents = async (): Promise<number> =>
    (await verifyTestLog(service)).filter(({ type }) => type === 'certificate.intended').length
  const before = await intents()
  const responders = new OcspResponders(createResponderKey)
  for (let round = 0; round < 10; round += 1) {
    const error = await t.throwsAsync<AggregateError>(responders.refresh(service))
    t.like(error.errors[0], { code: 'signer-down', found: 'CKR_DEVICE_REMOVED' })
  }
  t.is(await intents(), before)
  state.isUp = true
  await responders.refresh(service)
  t.is(await intents(), before + 1)
})
