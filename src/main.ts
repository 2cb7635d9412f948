import { randomBytes, X509Certificate } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { OutsideAuthority } from './authority-files.ts'
import type { Config } from './config.ts'
import { importJwk } from './core/jose/jwk.ts'
import { verifierOfSpki } from './core/log/note-key.ts'
import { ProofKeys } from './core/token/proof-key.ts'
import { createDataDirectory, loadDataDirectory, type DataDirectory } from './data-directory.ts'
import { logSpkiOf, openLogKey } from './log-key.ts'
import type { PassphraseSources } from './key-passphrase.ts'
import { parsePkcs11Uri } from './hsm/pkcs11-uri.ts'
import { createTokenInspector } from './hsm/token-inspector.ts'
import { createResponderKey } from './hsm/responder-key.ts'
import { timedAuthorityKeys, timedResponderKey, timedTokenKeys } from './hsm/timed-signer.ts'
import { createThrowawaySigners } from './hsm/throwaway-key.ts'
import { createBundleFetchOf, startFederation } from './federation.ts'
import { createApp, type RequestLog } from './http/app.ts'
import { followConfiguration } from './services/appraisal-policy.ts'
import { createRandom } from './random.ts'
import { AuthorizationDirectory } from './services/authorization-directory.ts'
import { auditEntry } from './services/audit-entry.ts'
import { Authorities } from './services/authorities.ts'
import { adoptFirstAuthority } from './services/authority-rotation.ts'
import { logVerifierKey } from './services/audit-log.ts'
import { ClientDirectory } from './services/client-directory.ts'
import { startFailover, type Failover } from './services/failover.ts'
import { clientSpiffeId } from './services/naming.ts'
import { OcspResponders } from './services/ocsp-responders.ts'
import { registerOperator, type OperatorRequest } from './services/operators.ts'
import type { WatchedSigner } from './ports/signer.ts'
import type { Service } from './services/service.ts'
import { startStatusKeeper } from './services/status-keeper.ts'
import { SigningFeed } from './services/signing-times.ts'
import { recordSignerChange } from './services/signer-watch.ts'
import { startTokenKeyFollower } from './services/token-key-follower.ts'
import { startTokenKeys } from './services/token-key-rotation.ts'
import { TokenKeyRing } from './services/token-keys.ts'
import { createOutbound } from './outbound/create-outbound.ts'
import { internet } from './outbound/network.ts'
import { openSqliteStore } from './storage/sqlite-store.ts'
import { openServiceSigners } from './service-signers.ts'
import {
  loadAuthorizationSchema,
  loadCertificateProfiles,
  loadFirmwareAdvisories,
} from './shipped-tables.ts'
import { startTlsServer } from './tls-server.ts'

const serviceCertificateDays = 7
const proofKeyCapacity = 20_000
const sweepIntervalMs = 60_000

/** What `assay init` tells its user. */
export interface InitialisedService {
  readonly issuer: string
  /** `sha256:` and hex: what hosts and operators pin. */
  readonly fingerprint: string
  /** DER of the root. */
  readonly root: Uint8Array
  /** Verifier key of the audit log (C2SP signed-note), for clients to pin. */
  readonly logKey: string
  readonly operatorId: string
  /** SPIFFE ID of the operator: the client_id of its tokens. */
  readonly clientId: string
}

/**
 * Makes a service: data directory, authorities, and the first operator's key on record.
 *
 * @throws JoseError `jwk-malformed`; ConfigError `config-exists`, `config-unwritable`; StoreError
 */
export async function initialiseService(options: {
  readonly dataDirectory: string
  readonly config: Config
  readonly operator: OperatorRequest
  /** Where the passphrase of the keys is; one is made in the data directory where there is none. */
  readonly passphrase?: PassphraseSources
  /** The issuing authority, made elsewhere below a root whose key is not here; one with a root is made where not given. */
  readonly outside?: OutsideAuthority | undefined
}): Promise<InitialisedService> {
  // A key that cannot be registered is refused before there is a service without an operator.
  importJwk(options.operator.jwk)
  const { dataDirectory, passphrase, outside } = options
  await createDataDirectory(dataDirectory, options.config, passphrase, outside)
  const { service, root } = await openService(loadDataDirectory(dataDirectory, passphrase))
  try {
    const operator = await registerOperator(service, 'service', options.operator)
    await service.store.audit.append(
      auditEntry(service, 'service.initialised', 'service', service.settings.issuer),
    )
    await followConfiguration(service)
    await service.authorization.followStarter()
    const client = {
      kind: 'operator',
      operator,
      key: { jkt: operator.jkt, jwk: JSON.stringify(options.operator.jwk) },
    } as const
    return {
      issuer: service.settings.issuer,
      fingerprint: fingerprintOf(root),
      root,
      logKey: logVerifierKey(service),
      operatorId: operator.id,
      clientId: clientSpiffeId(service, client),
    }
  } finally {
    await closeService(service)
  }
}

/** A service that answers. */
export interface RunningService {
  readonly issuer: string
  readonly fingerprint: string
  readonly address: AddressInfo
  /** Of the listener that serves bundles under a certificate of the web; undefined where there is none. */
  readonly bundleAddress: AddressInfo | undefined
  /** Finishes what is under way and closes; safe to call twice. */
  stop(): Promise<void>
}

/**
 * Starts the service of a data directory.
 *
 * @throws ConfigError, KeyPassphraseError, StoreError, and the coded error of a port that is taken
 */
export async function startService(options: {
  readonly dataDirectory: string
  readonly log: RequestLog
  readonly passphrase?: PassphraseSources
}): Promise<RunningService> {
  const data = loadDataDirectory(options.dataDirectory, options.passphrase)
  if (data.plainKeys.length > 0)
    options.log.report(
      'warn',
      { keys: data.plainKeys },
      'keys are not encrypted: assay key encrypt',
    )
  const failed = (error: unknown): void =>
    options.log.report(
      'error',
      { error: String(error) },
      'a signer is not watched, or its change not recorded',
    )
  const { service, root } = await openService(data, failed)
  try {
    await closeOrphans(service)
    await followConfiguration(service)
    await service.authorization.followStarter()
    const app = createApp(service, options.log)
    const report = (cause: unknown): void =>
      options.log.report('error', { error: String(cause) }, 'TLS server failed')
    const server = await startTlsServer(service, data.config.listen, app.callback(), report)
    const federation = await startFederation(service, data.config, options.log, server)
    const sweeper = startSweeper(service, options.log)
    const failover = startFailoverOf(service, data.config, options.log)
    const keepers = [
      startStatusKeeper(service, error =>
        options.log.report('error', { error }, 'status is not told anew'),
      ),
      startTokenKeyFollower(service, error =>
        options.log.report('error', { error }, 'the keys of tokens are not followed'),
      ),
    ]
    return {
      issuer: service.settings.issuer,
      fingerprint: fingerprintOf(root),
      address: server.address,
      bundleAddress: federation.address,
      stop: async () => {
        clearInterval(sweeper)
        failover?.stop()
        for (const keeper of keepers) await keeper.stop()
        await federation.stop()
        await closeService(service)
      },
    }
  } catch (cause) {
    await closeService(service)
    throw cause
  }
}

async function openService(
  data: DataDirectory,
  report: (cause: unknown) => void = () => undefined,
): Promise<{ service: Service; root: Uint8Array }> {
  const { config, chain } = data
  const logOrigin = `${new URL(config.issuer).host}/audit`
  const watch: { record?: (signer: WatchedSigner) => void; authorities?: Authorities } = {}
  const signingTimes = new SigningFeed()
  const log = await openLogKey(data, signer => watch.record?.(signer), signingTimes)
  const store = await openSqliteStore({ path: data.databasePath, logOrigin, logKey: log.key })
  const throwaway = createThrowawaySigners()
  const signers = openServiceSigners(data, {
    throwaway,
    further: log.signers,
    onChange: signer => watch.record?.(signer),
    onMistake: report,
    records: () => watch.authorities?.records ?? [],
  })
  const authorities = await Authorities.load(
    store,
    timedAuthorityKeys(signers.authorityKeys, signingTimes),
  )
  watch.authorities = authorities
  const clock = { now: () => Date.now() }
  const service: Service = {
    settings: {
      issuer: config.issuer,
      trustDomain: config.trustDomain,
      attestation: config.attestation,
      endorsements: config.endorsements,
      grants: config.grants,
      certificateLifetimeSeconds: config.certificate.lifetimeSeconds,
      serviceCertificateSeconds: serviceCertificateDays * 86_400,
      bundleRefreshSeconds: config.authority.bundleRefreshSeconds,
      ocspSignaturesPerMinute: config.ocsp.signaturesPerMinute,
      tokenMaxLifetimeSeconds: config.token.maxLifetimeSeconds,
      keySetMaxAgeSeconds: config.token.keySetMaxAgeSeconds,
    },
    store,
    clock,
    random: createRandom(),
    ocsp: new OcspResponders(() => timedResponderKey(createResponderKey(), signingTimes)),
    issuance: { profiles: loadCertificateProfiles(), throwaway },
    authorities,
    signers: signers.list,
    signingTimes,
    tokenKeys: new TokenKeyRing({
      store,
      clock,
      places: timedTokenKeys(signers.tokenKeyPlaces, signingTimes),
    }),
    logVerifier: verifierOfSpki(logOrigin, logSpkiOf(data)),
    privacyKey: data.privacyKey,
    nonceKey: randomBytes(32),
    firmwareAdvisories: loadFirmwareAdvisories(),
    outbound: createOutboundOf(config),
    bundleFetch: createBundleFetchOf(config),
    tokenInspector: createInspectorOf(config),
    clients: new ClientDirectory(store.clients),
    authorization: new AuthorizationDirectory({
      store,
      clock,
      schema: loadAuthorizationSchema(),
      starter: data.authorizationPolicies,
    }),
    proofKeys: new ProofKeys(proofKeyCapacity),
  }
  watch.record = signer => void recordSignerChange(service, signer).catch(report)
  for (const signer of signers.list) if (!signer.state().isUp) watch.record(signer)
  await adoptFirstAuthority(service, { chain, keyReference: data.issuingKey })
  await signers.start()
  await startTokenKeys(service, data.firstTokenKey)
  return { service, root: rootOf(service) }
}

async function closeService({ signers, store }: Service): Promise<void> {
  // The store first: what it still has to have signed needs them.
  await store.close()
  for (const signer of signers) await signer.close()
}

/** The root that hosts and operators pin: that of the authority that issues, or of the last one that did. */
function rootOf({ authorities }: Service): Uint8Array {
  const [record] = authorities.records.toSorted(
    (left, right) => (right.activatedAt ?? 0) - (left.activatedAt ?? 0),
  )
  return record?.chain.at(-1) ?? new Uint8Array()
}

/** A standby takes over by itself where the configuration says after how long. */
function startFailoverOf(
  service: Service,
  { keys: { failoverSeconds } }: Config,
  log: RequestLog,
): Failover | undefined {
  if (failoverSeconds === undefined) return undefined
  const report = (error: unknown): void =>
    log.report('error', { error: String(error) }, 'the standby does not take over')
  return startFailover(service, failoverSeconds, report)
}

/** Nothing is fetched where the configuration names no host. */
function createOutboundOf({ endorsements }: Config): Service['outbound'] {
  const { fetch } = endorsements
  if (fetch.hosts.length === 0) return undefined
  return createOutbound(fetch, internet, { now: () => Date.now() })
}

/** No token is looked into where the configuration names none. */
function createInspectorOf({ inspection }: Config): Service['tokenInspector'] {
  if (inspection.pkcs11.length === 0) return undefined
  const uris = inspection.pkcs11.map(uri => {
    parsePkcs11Uri(uri, 'token')
    return uri
  })
  return createTokenInspector(uris)
}

/** What a crash left open is closed before the first request: an intent without a result becomes `unknown`. */
async function closeOrphans(service: Service): Promise<void> {
  const { type, time, actor } = auditEntry(service, 'certificate.unknown', 'service', '')
  const orphans = await service.store.certificates.closeOrphans({ type, time, actor })
  const { issuer } = service.settings
  await service.store.audit.append(
    auditEntry(service, 'service.started', 'service', issuer, { orphans }),
  )
}

function startSweeper(service: Service, log: RequestLog): NodeJS.Timeout {
  const sweep = (): void => {
    service.store.sweep(service.clock.now()).catch((error: unknown) => {
      log.report('error', { error: String(error) }, 'sweep failed')
    })
  }
  return setInterval(sweep, sweepIntervalMs).unref()
}

/** `sha256:` and the hex digest of a DER certificate. */
export function fingerprintOf(certificate: Uint8Array): string {
  return `sha256:${new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()}`
}
