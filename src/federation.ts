import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { startBundleEndpoint } from './bundle-endpoint.ts'
import { ConfigError, type Config } from './config.ts'
import { createApp, type RequestLog } from './http/app.ts'
import { publicBundleEndpoints } from './http/federation-endpoints.ts'
import { createBundleFetch } from './outbound/create-bundle-fetch.ts'
import { anyNetwork, internet } from './outbound/network.ts'
import type { BundleFetch } from './ports/bundle-fetch.ts'
import { refreshDueFederations } from './services/federation-refresh.ts'
import type { Service } from './services/service.ts'
import type { TlsServer } from './tls-server.ts'

const lookForDueMs = 5_000

/**
 * What fetches the bundles of other trust domains; undefined where the configuration names no host.
 *
 * @throws ConfigError `config-missing`, `config-malformed` for the file of web authorities
 */
export function createBundleFetchOf({ federation }: Config): BundleFetch | undefined {
  const { hosts, privateAddresses, timeoutSeconds, webAuthorities } = federation
  if (hosts.length === 0) return undefined
  const authorities = webAuthorities === undefined ? undefined : loadAuthorities(webAuthorities)
  const network = privateAddresses ? anyNetwork : internet
  const limits = { hosts, timeoutSeconds, webAuthorities: authorities }
  return createBundleFetch(limits, network, { now: () => Date.now() })
}

function loadAuthorities(path: string): string[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError('config-missing', { found: path, cause })
  }
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  try {
    if (blocks.length > 0) return blocks.map(block => new X509Certificate(block).toString())
  } catch (cause) {
    throw new ConfigError('config-malformed', { expected: 'certificates', found: path, cause })
  }
  throw new ConfigError('config-malformed', { expected: 'certificates', found: path })
}

/** What of a service follows other trust domains, and serves bundles under a certificate of the web. */
export interface RunningFederation {
  /** Of the second listener; undefined where there is none. */
  readonly address: TlsServer['address'] | undefined
  stop(): Promise<void>
}

/**
 * Follows what is due, again and again, and starts the second listener where the configuration has one.
 *
 * @param first the listener of the service itself: it is stopped with the second, and where that cannot start
 * @throws ConfigError of the second listener and its files
 */
export async function startFederation(
  service: Service,
  config: Config,
  log: RequestLog,
  first: TlsServer,
): Promise<RunningFederation> {
  let second: TlsServer | undefined
  try {
    second = await startSecond(service, config, log)
  } catch (cause) {
    await first.stop()
    throw cause
  }
  const stopFollowing = service.bundleFetch === undefined ? undefined : keepFollowing(service, log)
  return {
    address: second?.address,
    stop: async () => {
      await Promise.all([first.stop(), second?.stop(), stopFollowing?.()])
    },
  }
}

async function startSecond(
  service: Service,
  { bundleEndpoint }: Config,
  log: RequestLog,
): Promise<TlsServer | undefined> {
  if (bundleEndpoint === undefined) return undefined
  const app = createApp(service, log, publicBundleEndpoints)
  return await startBundleEndpoint(bundleEndpoint, app.callback(), cause =>
    log.report('error', { error: String(cause) }, 'bundle endpoint failed'),
  )
}

/** One round after the other; gives what ends it, once the round under way is over. */
function keepFollowing(service: Service, log: RequestLog): () => Promise<void> {
  let round: Promise<void> | undefined
  const play = async (): Promise<void> => {
    try {
      await refreshDueFederations(service, (trustDomain, { code, found }) =>
        log.report('error', { trustDomain, code, found }, 'trust bundle not followed'),
      )
    } catch (error) {
      log.report('error', { error: String(error) }, 'trust bundles not followed')
    }
    round = undefined
  }
  const start = (): void => {
    round ??= play()
  }
  start()
  const timer = setInterval(start, lookForDueMs).unref()
  return async () => {
    clearInterval(timer)
    await round
  }
}
