import { spawn, type ChildProcess } from 'node:child_process'
import { delimiter, resolve } from 'node:path'

/** One step of a check: a command of this repository, run from its root. */
export interface Command {
  readonly command: string
  readonly arguments: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** After this the command and its children are ended, and it has failed. */
  readonly limitSeconds: number
}

/** How a command ended; `output` is standard output and error as they came. */
export interface Outcome {
  readonly ok: boolean
  readonly output: string
  readonly seconds: number
}

/** The repository's own root. */
export const root: string = resolve(import.meta.dirname, '../..')

const heartbeatMs = 30_000

/**
 * Runs a command to its end, collecting what it prints; calls `heartbeat` with the output so far every half minute,
 * so that a log shows life.
 */
export async function run(step: Command, heartbeat?: (output: string) => void): Promise<Outcome> {
  const begin = performance.now()
  const child = spawn(step.command, step.arguments, {
    cwd: root,
    env: environmentFor(step),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that a hanging child of a child ends with it.
    detached: true,
  })
  const chunks: Buffer[] = []
  const output = (): string => Buffer.concat(chunks).toString('utf8')
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  const beat = setInterval(() => heartbeat?.(output()), heartbeatMs)
  const limit = setTimeout(() => {
    chunks.push(Buffer.from(`\nended after ${step.limitSeconds} s\n`))
    endGroup(child)
  }, step.limitSeconds * 1000)
  const ok = await succeeded(child, chunks)
  clearInterval(beat)
  clearTimeout(limit)
  return { ok, output: output(), seconds: (performance.now() - begin) / 1000 }
}

function environmentFor(step: Command): NodeJS.ProcessEnv {
  const bin = resolve(root, 'node_modules/.bin')
  return {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
    ...step.environment,
  }
}

async function succeeded(child: ChildProcess, chunks: Buffer[]): Promise<boolean> {
  const { promise, resolve: settle } = Promise.withResolvers<boolean>()
  child.once('error', error => {
    chunks.push(Buffer.from(`${error.message}\n`))
    settle(false)
  })
  child.once('close', (code, signal) => {
    if (signal !== null) chunks.push(Buffer.from(`\nended by ${signal}\n`))
    settle(code === 0)
  })
  return await promise
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It ended by itself in this moment.
  }
}
