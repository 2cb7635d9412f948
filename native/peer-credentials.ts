import type { Socket } from 'node:net'
import { binding } from './binding.ts'

/** Who is at the other end of a Unix socket: the process that connected it, as the kernel knows it. */
export interface PeerCredentials {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

/**
 * The credentials of the peer of a connected Unix socket, taken by the kernel when it connected (SO_PEERCRED, unix(7)).
 * A pid may since have been given to another process: authorise by uid and gid.
 *
 * @param fd a file descriptor, as {@link descriptorOf} gives it
 * @throws {Error} with `errno` when `fd` is not a Unix socket
 */
export function peerCredentials(fd: number): PeerCredentials {
  return binding.peerCredentials(fd)
}

/**
 * The file descriptor of a connected socket. Node has it on the socket's internal handle and nowhere else.
 *
 * @throws {TypeError} when the socket is not open, or has no descriptor
 */
export function descriptorOf(socket: Socket): number {
  const { _handle: inner } = socket as Socket & { _handle?: { fd?: number } | null }
  if (typeof inner?.fd !== 'number' || inner.fd < 0) throw new TypeError('the socket is not open')
  return inner.fd
}
