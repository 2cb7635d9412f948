import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConfigError, type Config } from './config.ts'
import { closeServer, listenOn, patience, type TlsServer } from './tls-server.ts'

const everyMinute = 60_000

/** Where a listener under a certificate of the web is, and what it shows. */
export type BundleEndpointConfig = NonNullable<Config['bundleEndpoint']>

/**
 * Listens for those who fetch trust bundles with profile `https_web`, under the certificate that the configuration
 * names. Its files are read again each minute, so that a certificate that something else renews is taken up.
 *
 * @param handle serves trust bundles and nothing else
 * @param report told of what goes wrong later; the certificate before stays
 * @throws ConfigError `config-missing`, `config-malformed`, `config-exposed`, `config-address`
 * @see SPIFFE Federation §5.2.1.3
 */
export async function startBundleEndpoint(
  config: BundleEndpointConfig,
  handle: (request: IncomingMessage, response: ServerResponse) => unknown,
  report: (cause: unknown) => void,
  lookAgainMs: number = everyMinute,
): Promise<TlsServer> {
  let shown = loadIdentity(config)
  const options = { ...patience, ...shown, minVersion: 'TLSv1.2' } as const
  const server = createServer(options, (request, response) => void handle(request, response))
  await listenOn(server, config.listen)
  server.on('error', report)
  const timer = setInterval(() => {
    try {
      const next = loadIdentity(config)
      if (next.cert !== shown.cert || next.key !== shown.key)
        server.setSecureContext({ ...next, minVersion: 'TLSv1.2' })
      shown = next
    } catch (cause) {
      report(cause)
    }
  }, lookAgainMs).unref()
  let stopped: Promise<void> | undefined
  return {
    address: server.address() as AddressInfo,
    stop: () => {
      clearInterval(timer)
      stopped ??= closeServer(server)
      return stopped
    },
  }
}

/** Certificate and key, after a look at whether they belong together; while one was replaced they do not. */
function loadIdentity({ certificate, key }: BundleEndpointConfig): { cert: string; key: string } {
  const [cert, secret] = [loadText(certificate), loadText(key)]
  requirePrivate(key)
  if (!belongTogether(cert, secret))
    throw new ConfigError('config-malformed', {
      expected: 'a certificate and its key',
      found: certificate,
    })
  return { cert, key: secret }
}

function belongTogether(cert: string, key: string): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

function requirePrivate(path: string): void {
  const { mode } = statSync(path)
  if ((mode & 0o077) === 0) return
  const found = `${path} ${(mode & 0o777).toString(8)}`
  throw new ConfigError('config-exposed', { expected: 'no rights for others', found })
}

function loadText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError('config-missing', { found: path, cause })
  }
}
