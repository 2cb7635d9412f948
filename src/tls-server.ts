import { constants, generateKeyPairSync } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { ConfigError, type Config } from './config.ts'
import { createServiceCertificate } from './core/issuance/service-certificate.ts'
import { encodeSpiffeId } from './core/spiffe/spiffe-id.ts'
import { parseCertificate } from './core/x509/certificate.ts'
import { stapleOf } from './services/ocsp-staple.ts'
import { recordOwnIntent } from './services/own-certificates.ts'
import { pem } from './services/view.ts'
import type { Service } from './services/service.ts'

/** Part of its life after which the certificate is made anew. */
const renewedAfter = 1 / 3
const longestWaitMs = 86_400_000
const retryMs = 10_000
const maxConnections = 10_000

/** Time that a connection may take for each of its parts, in milliseconds. */
export const patience = {
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 60_000,
  connectionsCheckingInterval: 5_000,
}

/** A listening server. */
export interface TlsServer {
  readonly address: AddressInfo
  stop(): Promise<void>
}

/**
 * Listens with TLS 1.3 under a certificate of the service's own authority, or of the newest that is trusted while none
 * issues: made anew at each start, when a third of its life is over, and when another authority is activated.
 * Connections that stand are not touched by that. Client certificates are asked for and never required; whether one
 * counts is decided by its thumbprint.
 *
 * @param report told of what goes wrong later: a renewal, the listening socket
 * @throws ConfigError `config-address` when it cannot listen there
 */
export async function startTlsServer(
  service: Service,
  listen: Config['listen'],
  handle: (request: IncomingMessage, response: ServerResponse) => unknown,
  report: (cause: unknown) => void,
): Promise<TlsServer> {
  const server = createServer(
    {
      ...(await createSecureOptions(service, listen.host)),
      ...patience,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => void handle(request, response),
  )
  server.maxConnections = maxConnections
  await listenOn(server, listen)
  server.on('error', report)
  server.on('OCSPRequest', answerStaple(service, report))
  const renewal = keepRenewed(server, service, listen.host, report)
  let stopped: Promise<void> | undefined
  return {
    address: server.address() as AddressInfo,
    stop: () => {
      renewal.stop()
      stopped ??= closeServer(server)
      return stopped
    },
  }
}

/** Staples the OCSP answer on the certificate, where there is one; a handshake does not fail for want of it. */
function answerStaple(
  service: Service,
  report: (cause: unknown) => void,
): (
  certificate: Uint8Array,
  issuer: Uint8Array,
  callback: (error: Error | null, answer: Buffer | null) => void,
) => void {
  const answer = async (
    ...[certificate, issuer, callback]: Parameters<ReturnType<typeof answerStaple>>
  ): Promise<void> => {
    let staple: Buffer | null = null
    try {
      staple = await stapleOf(service, certificate, issuer)
    } catch (cause) {
      report(cause)
    }
    callback(null, staple)
  }
  return (...asked) => void answer(...asked)
}

/** Renews before the certificate ends, and at once when the authorities change; tries again soon where that fails. */
function keepRenewed(
  server: Server,
  service: Service,
  host: string,
  report: (cause: unknown) => void,
): { stop(): void } {
  let timer: NodeJS.Timeout | undefined
  let last: Promise<void> = Promise.resolve()
  let isStopped = false
  const wait = (ms: number): void => {
    clearTimeout(timer)
    if (!isStopped) timer = setTimeout(renewNext, Math.min(ms, longestWaitMs)).unref()
  }
  const renewNext = (): void => {
    // One after the other, so that the one that began last stays.
    last = last
      .then(async () => server.setSecureContext(await createSecureOptions(service, host)))
      .then(() => wait(renewalMs(service)))
      .catch((cause: unknown) => {
        report(cause)
        wait(Math.min(retryMs, renewalMs(service)))
      })
  }
  wait(renewalMs(service))
  const unsubscribe = service.authorities.onChange(renewNext)
  return {
    stop: () => {
      isStopped = true
      clearTimeout(timer)
      unsubscribe()
    },
  }
}

function renewalMs({ settings }: Service): number {
  return settings.serviceCertificateSeconds * 1000 * renewedAfter
}

async function createSecureOptions(service: Service, host: string): Promise<SecureContextOptions> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const authority = service.authorities.serving()
  const [issuer] = authority.chain
  if (issuer === undefined) throw new TypeError('an authority has a chain')
  const now = service.clock.now()
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const serial = service.random.bytes(16)
  const profile = service.issuance.profiles.service
  await recordOwnIntent(service, { profile: profile.name, authority: authority.id, serial, spki })
  const certificate = await createServiceCertificate(
    {
      profile,
      throwaway: service.issuance.throwaway,
      issuer,
      spki,
      spiffeId: encodeSpiffeId({
        trustDomain: service.settings.trustDomain,
        segments: ['service', 'assay'],
      }),
      names: [
        ...new Set([new URL(service.settings.issuer).hostname.replaceAll(/[[\]]/g, ''), host]),
      ],
      serial,
      notBefore: now,
      notAfter: now + service.settings.serviceCertificateSeconds * 1000,
    },
    authority.signer,
  )
  const { serialNumber, notAfter } = parseCertificate(certificate).fields
  service.ocsp.vouch(authority.id, Buffer.from(serialNumber).toString('hex'), notAfter)
  return {
    minVersion: 'TLSv1.3',
    // A resumed session would be opened by a secret in the client's memory in place of its hardware key.
    secureOptions: constants.SSL_OP_NO_TICKET,
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    // The root goes along so that a host that pinned it can see the chain end there.
    cert: [certificate, ...authority.chain].map(pem).join(''),
    // Names for clients to choose a certificate by; whether one counts is looked up.
    ca: service.authorities.trusted.flatMap(({ chain }) => chain.map(pem)),
  }
}

/** Throws ConfigError `config-address` where it cannot listen there. */
export async function listenOn(server: Server, listen: Config['listen']): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', cause => {
      reject(new ConfigError('config-address', { found: `${listen.host}:${listen.port}`, cause }))
    })
    server.listen(listen.port, listen.host, resolve)
  })
}

/** Lets what is under way finish, for two seconds. */
export async function closeServer(server: Server): Promise<void> {
  await new Promise<void>(resolve => {
    server.close(() => resolve())
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), 2_000).unref()
  })
}
