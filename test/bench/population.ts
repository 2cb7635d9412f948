import { createPrivateKey } from 'node:crypto'
import { configSchema } from '../../src/config.ts'
import { loadDataDirectory } from '../../src/data-directory.ts'
import { initialiseService } from '../../src/main.ts'
import type { AuditEntry } from '../../src/ports/records.ts'
import type { Store } from '../../src/ports/store.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'
import { createBenchTpm, platformState, type BenchTpm } from './bench-tpm.ts'
import { createTestKey, type TestKey } from '../support/compact-jws.ts'

/** The service's name in a bench; what it listens on is told by {@link startServiceProcess}. */
export const issuer = 'https://assay.bench.example'
export const audience = 'https://api.bench.example/'
export const scope = 'orders:read'

const trustDomain = 'bench.example'
export const className = 'clerk'
const hostCount = 32

/** An agent that the service knows, and its key: in software, for no TPM signs as fast as a service verifies. */
export interface BenchAgent {
  readonly id: string
  readonly spiffeId: string
  readonly key: TestKey
}

/**
 * Makes a service's data directory with hosts, a class and agents whose keys are bound, as enrolments leave them: by
 * the store's own methods, so every row and every log entry is real. Returns the agents, and the TPM of all hosts.
 */
export async function createPopulation(
  dataDirectory: string,
  count: number,
): Promise<{ readonly agents: readonly BenchAgent[]; readonly tpm: BenchTpm }> {
  const config = configSchema.parse({ issuer, trustDomain, listen: { port: 0 } })
  const { jwk } = createTestKey()
  await initialiseService({
    dataDirectory,
    config,
    operator: { name: 'bench', role: 'administrator', keyProtection: 'file', jwk },
  })
  const store = await openStore(dataDirectory)
  try {
    const tpm = createBenchTpm()
    await populateHosts(store, tpm)
    const agents = Array.from({ length: count }, (_, n) => createAgent(n))
    await Promise.all(agents.map(async (agent, n) => await admitAgent(store, agent, n % hostCount)))
    return { agents, tpm }
  } finally {
    await store.close()
  }
}

async function openStore(dataDirectory: string): Promise<Store> {
  const data = loadDataDirectory(dataDirectory)
  return await openSqliteStore({
    path: data.databasePath,
    logOrigin: `${new URL(issuer).host}/audit`,
    logKey: createPrivateKey(data.logKey).export({ format: 'der', type: 'pkcs8' }),
  })
}

/** An entry such as the service writes for a token. */
export function createEntry(type: string, subject: string): AuditEntry {
  return { type, time: Date.now(), actor: 'service', subject, detail: { audience, scope } }
}

async function populateHosts(store: Store, tpm: BenchTpm): Promise<void> {
  await store.classes.create(
    {
      name: className,
      audiences: [audience],
      scopes: [scope],
      hosts: ['*'],
      tokenLifetimeSeconds: 300,
      owner: null,
      environment: 'default',
      sensitivity: 'internal',
      authorizationDetails: [],
      clientIds: [],
      createdAt: Date.now(),
      createdBy: 'operator/bench',
    },
    createEntry('class.registered', className),
  )
  const hosts = Array.from({ length: hostCount }, (_, n) => n)
  await Promise.all(hosts.map(async n => await admitHost(store, tpm, n)))
}

async function admitHost(store: Store, tpm: BenchTpm, n: number): Promise<void> {
  const { jwk, jkt } = createTestKey()
  const id = `host-${n}`
  const [now, later] = [Date.now(), Date.now() + 86_400_000]
  const attestationResult = JSON.stringify({ checks: 'x'.repeat(3_000) })
  await store.hosts.admit(
    {
      id,
      name: `machine-${n}`,
      endorsementId: `endorsement-${n}`,
      attestationPublic: tpm.attestationKey.public,
      assurance: 'emulated',
      status: 'active',
      enrolledAt: now,
      attestedAt: now,
      attestationExpiresAt: later,
      evidenceSha256: '00'.repeat(32),
      earSha256: 'ef'.repeat(32),
      attestationResult,
      jkt,
      revokedAt: null,
      revocationReason: null,
      attestationId: `attestation-${n}`,
      platformState: JSON.stringify(platformState),
      stateVersion: 1,
      firmwareVendor: 'id:49465800',
      firmwareVersion: '0007005500000000',
      restartSeenAt: null,
    },
    { jkt, jwk: JSON.stringify(jwk), provenAt: now },
    {
      attestation: {
        id: `attestation-${n}`,
        hostId: id,
        enrollmentId: `enrollment-${n}`,
        format: 'tpm2',
        evidence: new Uint8Array(3_000),
        evidenceSha256: '00'.repeat(32),
        context: '{}',
        verdict: attestationResult,
        ear: 'e30.e30.c2ln',
        status: 'affirming',
        policyId: `sha256:${'00'.repeat(32)}`,
        appraisedAt: now,
        expiresAt: null,
      },
      retention: { perHost: 1, refused: 1 },
    },
    createEntry('host.enrolled', id),
  )
}

function createAgent(n: number): BenchAgent {
  const id = `agent-${n}`
  return {
    id,
    spiffeId: `spiffe://${trustDomain}/agent/${className}/${id}`,
    key: createTestKey(),
  }
}

async function admitAgent(store: Store, { id, key }: BenchAgent, host: number): Promise<void> {
  await store.agents.create(
    {
      id,
      className,
      hostId: `host-${host}`,
      status: 'pending',
      jkt: null,
      createdAt: Date.now(),
      createdBy: 'operator/bench',
      revokedAt: null,
      revocationReason: null,
    },
    {
      id: `challenge-${id}`,
      purpose: 'agent-key',
      subject: id,
      nonce: new Uint8Array(16),
      expiresAt: Date.now() + 60_000,
      stateVersion: 1,
    },
    createEntry('agent.created', id),
  )
  const record = { jkt: key.jkt, jwk: JSON.stringify(key.jwk), provenAt: Date.now() }
  await store.agents.bindKey(id, record, createEntry('agent.key-bound', id))
}
