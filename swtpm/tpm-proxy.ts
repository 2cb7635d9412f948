import { createConnection, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'

const turnMilliseconds = 30_000

/** What a proxy does with the traffic of a TPM. */
export interface ProxyOptions {
  /** The socket of the TPM, and where the proxy listens; `.ctrl` is appended to both for the control channel. */
  readonly target: string
  readonly path: string
  /** How long each answer is held back. May change while the proxy runs. */
  latencyMilliseconds?: number
  /** Answers in the TPM's place; `undefined` lets the command through. May change while the proxy runs. */
  answer?: ((command: Buffer) => Buffer | undefined) | undefined
  /** Sees every command and its answer as they crossed the bus. */
  observe?: (command: Buffer, answer: Buffer) => void
}

/** A running proxy. */
export interface TpmProxy {
  readonly tcti: string
  readonly options: ProxyOptions
  stop(): Promise<void>
}

/** Stands between a connection and its TPM: slows answers down, invents them, or writes them down. */
export async function startProxy(options: ProxyOptions): Promise<TpmProxy> {
  const stopping = new AbortController()
  const data = createServer(socket => void relay(socket, options, stopping.signal))
  const control = createServer(socket => void relayControl(socket, `${options.target}.ctrl`))
  const servers = [await listen(data, options.path), await listen(control, `${options.path}.ctrl`)]
  return {
    tcti: `swtpm:path=${options.path}`,
    options,
    stop: async () => {
      stopping.abort()
      await Promise.all(servers.map(async close => await close()))
      await rm(options.path, { force: true })
      await rm(`${options.path}.ctrl`, { force: true })
    },
  }
}

/** The answer of a TPM that refuses: TPM_ST_NO_SESSIONS, ten octets, response code. */
export function refusal(rc: number): Buffer {
  const answer = Buffer.from('80010000000a00000000', 'hex')
  answer.writeUInt32BE(rc, 6)
  return answer
}

/**
 * Sends one command to a TPM's socket and gives its answer. A TPM serves one client at a time and its queue is short, so
 * this waits for its turn.
 */
export async function exchange(
  path: string,
  command: Uint8Array,
  timeoutMilliseconds = 180_000,
): Promise<Buffer> {
  const socket = await connected(path)
  socket.setTimeout(timeoutMilliseconds, () => socket.destroy())
  try {
    socket.write(command)
    for await (const answer of messages(socket)) return answer
    throw new Error('the TPM closed the connection without an answer')
  } finally {
    socket.destroy()
  }
}

// A full queue of a Unix socket answers EAGAIN to those who do not block: connect(2).
async function connected(path: string): Promise<Socket> {
  for (const deadline = performance.now() + turnMilliseconds; ; await pause(1)) {
    const socket = createConnection(path)
    try {
      await once(socket, 'connect')
      return socket
    } catch (error) {
      const busy = (error as NodeJS.ErrnoException).code === 'EAGAIN'
      if (!busy || performance.now() > deadline) throw error
    }
  }
}

async function relay(socket: Socket, options: ProxyOptions, signal: AbortSignal): Promise<void> {
  socket.on('error', () => undefined)
  try {
    for await (const command of messages(socket)) {
      const answer = options.answer?.(command) ?? (await exchange(options.target, command))
      if (options.latencyMilliseconds !== undefined)
        await pause(options.latencyMilliseconds, undefined, { signal })
      options.observe?.(command, answer)
      socket.write(answer)
    }
  } catch {
    // the TPM or its user went away: so does this connection
  } finally {
    socket.destroy()
  }
}

// Commands and answers alike: UINT16 tag, UINT32 size of the whole, UINT32 code.
async function* messages(socket: Socket): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0)
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk as Buffer])
    while (rest.length >= 10 && rest.length >= rest.readUInt32BE(2)) {
      const size = rest.readUInt32BE(2)
      yield rest.subarray(0, size)
      rest = rest.subarray(size)
    }
  }
}

async function relayControl(socket: Socket, path: string): Promise<void> {
  socket.on('error', () => undefined)
  try {
    splice(socket, await connected(path))
  } catch {
    socket.destroy()
  }
}

function splice(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy())
    from.pipe(to)
  }
}

async function listen(server: Server, path: string): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  server.unref()
  return async () => {
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  }
}
