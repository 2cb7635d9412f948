import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import { issuer } from './population.ts'

/** Where the service listens, and the root that its certificate ends at (PEM). */
export interface Address {
  readonly port: number
  readonly root: string
}

/** One answer, as far as a bench looks at it. */
export interface Answer {
  readonly status: number
  /** The DPoP nonce that it brought. */
  readonly nonce: string | undefined
  readonly body: string
}

const lengthHeader = /\r\ncontent-length: (\d+)/i
const nonceHeader = /\r\ndpop-nonce: ([^\r]*)/i

/**
 * A kept-alive connection that sends a request as the octets it is and waits for its answer: the cheapest client there
 * is, so that the two cores of a small machine are the service's.
 */
export class HttpConnection {
  readonly #socket: TLSSocket
  #received = ''
  #waiting: { resolve: (answer: Answer) => void; reject: (cause: Error) => void } | undefined

  private constructor(socket: TLSSocket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('data', chunk => this.#receive(chunk.toString()))
    socket.on('error', cause => this.#waiting?.reject(cause))
    socket.on('close', () => this.#waiting?.reject(new Error('the service closed a connection')))
  }

  /** Opens one, and verifies the service's certificate. */
  static async open({ port, root }: Address): Promise<HttpConnection> {
    const { hostname: servername } = new URL(issuer)
    const socket = connect({ host: '127.0.0.1', port, ca: root, servername })
    await once(socket, 'secureConnect')
    return new HttpConnection(socket)
  }

  async send(request: string): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#waiting = { resolve, reject }
    this.#socket.write(request, 'latin1')
    return await promise
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: string): void {
    this.#received += chunk
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.#received.slice(0, end)
    const length = Number(lengthHeader.exec(head)?.[1] ?? '0')
    if (this.#received.length < end + 4 + length) return
    const body = this.#received.slice(end + 4, end + 4 + length)
    this.#received = ''
    const nonce = nonceHeader.exec(head)?.[1]
    this.#waiting?.resolve({ status: Number(head.slice(9, 12)), nonce, body })
  }
}
