import test from 'ava'
import type { AttestationRecord } from '../../src/ports/records.ts'
import { retireAnchor } from '../../src/services/anchors.ts'
import { simulatePolicy, type Simulation } from '../../src/services/policy-simulation.ts'
import { startTestApi } from '../support/test-api.ts'
import { admitManufacturer, enrollHost } from '../support/test-host.ts'

test('kept evidence below an anchor that was taken back is contraindicated in a simulation', async t => {
  const api = await startTestApi(t)
  const manufacturer = await admitManufacturer(api)
  const host = await enrollHost(api, manufacturer)
  t.deepEqual(await simulatePolicy(api.service, 1), {
    policy: {
      version: 1,
      id: (await api.service.store.policies.find(1))?.id ?? '',
    },
    judged: 1,
    unjudged: [],
    changes: [],
  })
  const [anchor] = await api.service.store.anchors.listActive()
  await retireAnchor(api.service, 'operator/1', anchor?.fingerprint ?? '', 'compromised')
  const { changes } = await simulatePolicy(api.service, 1)
  t.like(changes[0], { host: host.id, to: { status: 'contraindicated', accepted: false } })
  t.regex(changes[0]?.rule ?? '', /^path-/)
  t.like(await api.service.store.hosts.find(host.id), { status: 'active' })
})

test('a host without kept evidence is named, not judged', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  const find = async (): Promise<undefined> => undefined
  const attestations = { ...api.service.store.attestations, find }
  const store = { ...api.service.store, attestations }
  const { judged, unjudged, changes } = await simulatePolicy({ ...api.service, store }, 1)
  t.deepEqual([judged, unjudged, changes], [0, [host.id], []])
})

test('evidence of an unknown format or in another form is not judged, and not taken for what it is not', async t => {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  const { attestations } = api.service.store
  const simulate = async (change: Partial<AttestationRecord>): Promise<Simulation> => {
    const find = async (id: string): Promise<AttestationRecord | undefined> => {
      const record = await attestations.find(id)
      return record && { ...record, ...change }
    }
    const store = { ...api.service.store, attestations: { ...attestations, find } }
    return await simulatePolicy({ ...api.service, store }, 1)
  }
  t.like(await simulate({}), { judged: 1, unjudged: [] })
  t.like(await simulate({ format: 'sev-snp' }), { judged: 0, unjudged: [host.id] })
  t.like(await simulate({ evidence: new Uint8Array(9) }), { judged: 0, unjudged: [host.id] })
})

test('a version that is not there is not simulated', async t => {
  const api = await startTestApi(t)
  await t.throwsAsync(simulatePolicy(api.service, 7), { code: 'policy-unknown' })
})
