import { X509Certificate } from 'node:crypto'
import { Agent } from 'node:https'
import { isIP } from 'node:net'
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import { ClientError } from './client-error.ts'
import { networkError } from './network-error.ts'
import { encodePem } from './pem.ts'

const handshakeMs = 15_000
const longestChain = 10

/** `sha256:` and the hex digest of a DER certificate, as an operator hands it out. */
export function fingerprintOf(certificate: Uint8Array): string {
  return `sha256:${hexFingerprint(new X509Certificate(certificate))}`
}

function hexFingerprint(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase()
}

/**
 * A fingerprint as a person writes it, in its one form: colons and upper case are taken.
 *
 * @throws ClientError `fingerprint-malformed`
 */
export function parseFingerprint(text: string): string {
  const plain = text.toLowerCase().replaceAll(':', '')
  const [, digits] = /^sha256([0-9a-f]{64})$/.exec(plain) ?? []
  if (digits === undefined)
    throw new ClientError('fingerprint-malformed', { found: text.slice(0, 100) })
  return `sha256:${digits}`
}

/**
 * Learns the root certificate of a service that is known by its fingerprint: a handshake in which nothing is sent,
 * and the certificate of the server's chain that has the fingerprint. Whether the chain stands under it is for
 * {@link createPinnedAgent}, over which everything goes.
 *
 * @param fingerprint as {@link parseFingerprint} gives it
 * @returns DER
 * @throws ClientError `service-fingerprint`, `service-unreachable`, `service-slow`, `service-tls`
 */
export async function discoverRoot(issuer: URL, fingerprint: string): Promise<Uint8Array> {
  const socket = await shakeHands(issuer)
  try {
    const chain = chainOf(socket)
    const root = chain.find(candidate => `sha256:${hexFingerprint(candidate)}` === fingerprint)
    if (root !== undefined) return new Uint8Array(root.raw)
    const top = chain.at(-1)
    throw new ClientError('service-fingerprint', {
      expected: fingerprint,
      found: top === undefined ? 'no certificate' : `sha256:${hexFingerprint(top)}`,
    })
  } finally {
    socket.destroy()
  }
}

function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let certificate = socket.getPeerX509Certificate()
  while (certificate !== undefined && chain.length < longestChain) {
    chain.push(certificate)
    certificate = certificate.issuerCertificate
  }
  return chain
}

async function shakeHands(issuer: URL): Promise<TLSSocket> {
  const host = hostOf(issuer)
  return await new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(issuer.port || 443),
      ...(isIP(host) === 0 ? { servername: host } : {}),
      minVersion: 'TLSv1.3',
      // The one place: who this is follows from the fingerprint, and nothing is sent here.
      rejectUnauthorized: false,
    })
    socket.setTimeout(handshakeMs, () => {
      socket.destroy(new ClientError('service-slow', { found: issuer.origin }))
    })
    socket.once('secureConnect', () => resolve(socket))
    socket.once('error', cause => reject(networkError(cause, issuer)))
  })
}

/** Host of a URL as sockets take it: an IPv6 address without brackets. */
function hostOf(issuer: URL): string {
  return issuer.hostname.replaceAll(/[[\]]/g, '')
}

/**
 * Connections to the service and to nothing else: TLS 1.3, the chain verified up to one of these roots, the host name
 * checked, and the certificate that of a service, not of one of the clients that stand under the same root.
 *
 * @param roots DER; none trusts nobody
 */
export function createPinnedAgent(roots: readonly Uint8Array[]): Agent {
  return new Agent({
    keepAlive: true,
    maxSockets: 8,
    ca: roots.map(root => encodePem('CERTIFICATE', root)),
    minVersion: 'TLSv1.3',
    rejectUnauthorized: true,
    checkServerIdentity: (host: string, certificate: PeerCertificate): Error | undefined => {
      return checkServerIdentity(host, certificate) ?? checkService(certificate)
    },
  })
}

/** The SPIFFE ID of what answers (SPIFFE X.509-SVID §2): the service itself. */
function checkService(certificate: PeerCertificate): Error | undefined {
  // A name that holds a comma comes quoted, with the comma escaped: none can be taken for two.
  const names = (certificate.subjectaltname ?? '').split(', ')
  if (names.some(name => /^URI:spiffe:\/\/[a-z0-9._-]+\/service\/assay$/.test(name)))
    return undefined
  return Object.assign(new Error('not the certificate of a service'), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  })
}
