import { createHash } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import type { Socket } from 'node:net'

const thumbprints = new WeakMap<Socket, string | undefined>()

/**
 * base64url SHA-256 of the client certificate of a connection, or undefined (RFC 8705 §3.1). The handshake proved
 * its key; whether it counts is looked up by this thumbprint among the certificates that this service issued.
 */
export function certificateThumbprint(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  if (thumbprints.has(socket)) return thumbprints.get(socket)
  const certificate = socket.getPeerX509Certificate()
  const thumbprint =
    certificate === undefined
      ? undefined
      : createHash('sha256').update(certificate.raw).digest('base64url')
  thumbprints.set(socket, thumbprint)
  return thumbprint
}
