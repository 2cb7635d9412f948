import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '../../src/ports/store.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'

/** What one run of the same call by many callers cost. */
interface Measured {
  readonly perSecond: number
  /** Both threads together. */
  readonly cpuMicroseconds: number
}

const entry = {
  type: 'token.issued',
  time: 1_790_000_000_000,
  actor: 'spiffe://assay.example/agent/0f3c1d52a9e84b7c',
  subject: 'spiffe://assay.example/agent/0f3c1d52a9e84b7c',
  detail: {
    audience: 'https://api.example/',
    expiresAt: 1_790_000_300_000,
    jkt: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    jti: '2b1f6a0c9d8e4f73a5b6c7d8e9f0a1b2',
    scope: 'orders:read orders:write',
  },
}

async function openStore(folder: string): Promise<Store> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const logKey = privateKey.export({ format: 'der', type: 'pkcs8' })
  const path = join(folder, 'assay.db')
  return await openSqliteStore({ path, logOrigin: 'bench.example/log', logKey })
}

/** One host with one agent, active; the agent's key is `agent-key`. */
async function populate(store: Store): Promise<void> {
  const far = Number.MAX_SAFE_INTEGER
  const jwk = JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'x'.repeat(43), y: 'y'.repeat(43) })
  await store.hosts.admit(
    {
      id: 'host',
      name: 'bench',
      endorsementId: 'endorsement',
      attestationPublic: new Uint8Array(88),
      assurance: 'emulated',
      status: 'active',
      enrolledAt: 1,
      attestedAt: 1,
      attestationExpiresAt: far,
      evidenceSha256: '00'.repeat(32),
      attestationResult: JSON.stringify({ checks: 'x'.repeat(3_000) }),
      jkt: 'host-key',
      revokedAt: null,
      revocationReason: null,
      attestationId: 'attestation',
      platformState: '{}',
      stateVersion: 1,
    },
    { jkt: 'host-key', jwk },
    {
      attestation: {
        id: 'attestation',
        hostId: 'host',
        enrollmentId: 'enrollment',
        format: 'tpm2',
        evidence: new Uint8Array(3_000),
        evidenceSha256: '00'.repeat(32),
        context: '{}',
        verdict: '{}',
        ear: 'e30.e30.c2ln',
        status: 'affirming',
        policyId: `sha256:${'00'.repeat(32)}`,
        appraisedAt: 1,
        expiresAt: null,
      },
      retention: { perHost: 1, refused: 1 },
    },
    entry,
  )
  await store.classes.create(
    {
      name: 'class',
      audiences: ['https://api.example/'],
      scopes: ['orders:read', 'orders:write'],
      hosts: ['*'],
      tokenLifetimeSeconds: 300,
      createdAt: 1,
      createdBy: 'operator/1',
    },
    entry,
  )
  await store.agents.create(
    {
      id: 'agent',
      className: 'class',
      hostId: 'host',
      status: 'pending',
      jkt: null,
      createdAt: 1,
      createdBy: 'operator/1',
      revokedAt: null,
      revocationReason: null,
    },
    { id: 'c', purpose: 'agent-key', subject: 'agent', nonce: new Uint8Array(16), expiresAt: far },
    entry,
  )
  await store.agents.bindKey('agent', { jkt: 'agent-key', jwk }, entry)
}

async function measure(
  callers: number,
  count: number,
  call: (n: number) => Promise<unknown>,
): Promise<Measured> {
  let next = 0
  const started = performance.now()
  const cpu = process.cpuUsage()
  const caller = async (): Promise<void> => {
    while (next < count) await call((next += 1))
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - started) / 1_000
  return { perSecond: count / seconds, cpuMicroseconds: (user + system) / count }
}

function print(what: string, { perSecond, cpuMicroseconds }: Measured): void {
  const rate = Math.round(perSecond).toLocaleString('en')
  console.log(
    `${what.padEnd(44)} ${rate.padStart(8)}/s ${cpuMicroseconds.toFixed(1).padStart(7)} µs CPU`,
  )
}

let run = 0
async function act(store: Store, n: number): Promise<void> {
  const key = `NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs.${run}.${(n * 2_654_435_761) % 4_294_967_296}`
  const word = await store.clients.act({
    client: { kind: 'agent', id: 'agent', jkt: 'agent-key' },
    replayKeys: [{ key, expiresAt: 1_790_000_300_000 + n }],
    attestedUntil: 1_790_000_300_000,
    entry,
  })
  if (word !== 'done') throw new Error(word)
}

const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
try {
  const store = await openStore(folder)
  await populate(store)
  await measure(64, 5_000, async n => await act(store, n))
  for (const callers of [1, 16, 64]) {
    run += 1
    const count = callers === 1 ? 2_000 : 30_000
    const appended = await measure(callers, count, async () => await store.audit.append(entry))
    print(`audit.append, ${callers} callers`, appended)
    print(
      `clients.act, ${callers} callers`,
      await measure(callers, count, async n => await act(store, n)),
    )
    print(
      `clients.findByKey, ${callers} callers`,
      await measure(callers, count, async () => await store.clients.findByKey('agent-key')),
    )
  }
  await store.close()
} finally {
  rmSync(folder, { recursive: true })
}
