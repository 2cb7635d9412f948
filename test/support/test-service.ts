import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { ProofKeys } from '../../src/core/token/proof-key.ts'
import { verifierOfPrivateKey } from '../../src/core/log/note-key.ts'
import { createFileAuthorityKeys, type AuthorityKeyOptions } from '../../src/hsm/authority-keys.ts'
import { createResponderKey } from '../../src/hsm/responder-key.ts'
import { exportPkcs8 } from '../../src/hsm/embedded-key.ts'
import { createTokenKeyFiles } from '../../src/hsm/token-key-files.ts'
import type { AuthorityKeys, AuthorityRecord } from '../../src/ports/authority.ts'
import { timedAuthorityKeys } from '../../src/hsm/timed-signer.ts'
import { SigningFeed } from '../../src/services/signing-times.ts'
import type { WatchedSigner } from '../../src/ports/signer.ts'
import { Authorities } from '../../src/services/authorities.ts'
import { adoptFirstAuthority } from '../../src/services/authority-rotation.ts'
import { AuthorizationDirectory } from '../../src/services/authorization-directory.ts'
import { ClientDirectory } from '../../src/services/client-directory.ts'
import { OcspResponders } from '../../src/services/ocsp-responders.ts'
import type { Service, Settings } from '../../src/services/service.ts'
import { startTokenKeys } from '../../src/services/token-key-rotation.ts'
import { TokenKeyRing } from '../../src/services/token-keys.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'
import { testAuthorityIssuance, testIssuance } from './test-issuance.ts'
import { starterPolicies, testSchema } from './test-policies.ts'
import { createTestAuthority } from './test-authority.ts'
import { MemoryKeyFiles } from './memory-key-files.ts'

export const testIssuer = 'https://assay.example'
export const testTrustDomain = 'example.org'
export const testLogOrigin = 'assay.example/audit'

/** A clock that stands until it is moved. */
export interface TestClock {
  now(): number
  advance(ms: number): void
}

/** Keys of authorities in tokens, beside those on the disk. */
export interface TestHardware {
  readonly places: NonNullable<AuthorityKeyOptions['places']>
  readonly signers: readonly WatchedSigner[]
  wire(disk: AuthorityKeys, records: () => readonly AuthorityRecord[]): AuthorityKeys
}

/** A wired service on a real database, with the clock to move. */
export interface TestService {
  readonly service: Service
  readonly clock: TestClock
  /** The keys of its authorities. */
  readonly keyFiles: MemoryKeyFiles
  /** The keys that sign its tokens. */
  readonly tokenKeyFiles: MemoryKeyFiles
}

const settings: Settings = {
  issuer: testIssuer,
  trustDomain: testTrustDomain,
  attestation: {
    assurance: ['emulated'],
    pcrs: [0, 1, 2, 3, 4, 5, 6, 7],
    referenceValues: {},
    validitySeconds: 86_400,
    challengeSeconds: 300,
    keepPerHost: 10,
    keepRefused: 100,
    keepRefusedSeconds: 86_400,
    requestsPerMinute: 10_000,
  },
  endorsements: {
    revocation: 'when-available',
    revocationByVendor: {},
    maxAgeSeconds: 30 * 86_400,
    expired: 'refuse',
  },
  grants: { requestSeconds: 3600, unusedSeconds: 900, maxMinutes: 480, pendingPerAgent: 4 },
  certificateLifetimeSeconds: 3600,
  serviceCertificateSeconds: 7 * 86_400,
  bundleRefreshSeconds: 300,
  ocspSignaturesPerMinute: 10_000,
  tokenMaxLifetimeSeconds: 300,
  keySetMaxAgeSeconds: 60,
}

/** Wires a service as `main` does, over a database of its own that is gone when the test ends. */
export async function createTestService(
  t: Pick<ExecutionContext, 'teardown'>,
  changes: Partial<Settings> = {},
  authorityLifetimeSeconds = 86_400,
  hardware?: TestHardware,
): Promise<TestService> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-service-'))
  const logKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' })
  const store = await openSqliteStore({
    path: join(folder, 'assay.sqlite'),
    logOrigin: testLogOrigin,
    logKey,
  })
  t.teardown(async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const clock = createClock(Date.now())
  const authority = await createTestAuthority(testTrustDomain, new Date(clock.now()))
  const tokenKeyFiles = new MemoryKeyFiles()
  const places = createTokenKeyFiles(tokenKeyFiles)
  const keyFiles = new MemoryKeyFiles()
  keyFiles.write('root.key.pem', await exportPkcs8(authority.root.keys.privateKey))
  keyFiles.write('issuing.key.pem', await exportPkcs8(authority.issuing.keys.privateKey))
  const disk = createFileAuthorityKeys({
    issuance: testAuthorityIssuance,
    files: keyFiles,
    trustDomain: testTrustDomain,
    rootLifetimeSeconds: authorityLifetimeSeconds,
    issuingLifetimeSeconds: authorityLifetimeSeconds,
    places: hardware?.places ?? {},
  })
  const known: { authorities?: Authorities } = {}
  const signingTimes = new SigningFeed()
  const keys = hardware?.wire(disk, () => known.authorities?.records ?? []) ?? disk
  const authorities = await Authorities.load(store, timedAuthorityKeys(keys, signingTimes))
  known.authorities = authorities
  const service: Service = {
    settings: { ...settings, ...changes },
    store,
    clock,
    random: { bytes: length => randomBytes(length) },
    authorities,
    issuance: testIssuance,
    ocsp: new OcspResponders(createResponderKey),
    signers: hardware?.signers ?? [],
    signingTimes,
    tokenKeys: new TokenKeyRing({ store, clock, places }),
    logVerifier: verifierOfPrivateKey(testLogOrigin, logKey),
    privacyKey: randomBytes(32),
    nonceKey: randomBytes(32),
    firmwareAdvisories: [],
    outbound: undefined,
    bundleFetch: undefined,
    tokenInspector: undefined,
    clients: new ClientDirectory(store.clients),
    authorization: new AuthorizationDirectory({
      store,
      clock,
      schema: testSchema,
      starter: starterPolicies,
    }),
    proofKeys: new ProofKeys(1_000),
  }
  await adoptFirstAuthority(service, { chain: authority.chain, keyReference: 'issuing.key.pem' })
  const first = await places.create()
  await startTokenKeys(service, () => first)
  return { service, clock, keyFiles, tokenKeyFiles }
}

function createClock(start: number): TestClock {
  let moved = 0
  return {
    now: () => start + moved,
    advance: ms => {
      moved += ms
    },
  }
}
