import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  adoptChild,
  createPrivateDirectory,
  discardDirectory,
  releaseChild,
} from '../../swtpm/leftovers.ts'

const program = new URL('../../src/cli/assay.ts', import.meta.url).pathname

/** How a command line ended. */
export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
  /** The one document on stdout; throws where there is none. */
  readonly json: () => Record<string, never>
  /** The code of the failure, from the first line on stderr. */
  readonly code: string | undefined
}

/** A place for a service and its clients, with the command `assay` to be run in it. */
export interface CliStage {
  readonly directory: string
  readonly issuer: string
  readonly port: number
  /** Runs a command to its end as the client of a home, `operator` where none is named. */
  readonly assay: (args: readonly string[], options?: RunOptions) => Promise<Ended>
  /** Runs a command that must succeed, in a home: the document that it prints. */
  readonly done: (home: string, ...args: string[]) => Promise<Record<string, unknown>>
  /** Gives the tokens of the service so many milliseconds for an answer: a loaded machine is slower than any token. */
  allowTime(deadlineMs: number): Promise<void>
  /** Starts `assay serve` and waits until it listens. */
  serve(): Promise<Serving>
  close(): Promise<void>
}

export interface RunOptions {
  readonly home?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface Serving {
  readonly document: Record<string, unknown>
  /** Sends a signal; gives the exit code and all that was written to stderr. */
  stop(signal?: NodeJS.Signals): Promise<{ status: number | null; stderr: string }>
}

/** A directory of its own and a port that was free a moment ago: a service has to know its address beforehand. */
export async function createStage(env: Readonly<Record<string, string>> = {}): Promise<CliStage> {
  const directory = await createPrivateDirectory('assay-cli')
  const port = await freePort()
  const serving = new Set<Serving>()
  const environment = (home: string, more: RunOptions['env']): NodeJS.ProcessEnv => ({
    ...process.env,
    ASSAY_DATA: join(directory, 'data'),
    ASSAY_HOME: join(directory, home),
    ...env,
    ...more,
  })
  const assay: CliStage['assay'] = async (args, options = {}) =>
    await runToEnd(start(args, environment(options.home ?? 'operator', options.env)))
  return {
    directory,
    port,
    issuer: `https://localhost:${port}`,
    assay,
    done: async (home, ...args) => {
      const ran = await assay([...args, '--json'], { home })
      if (ran.status !== 0) throw new Error(`assay ${args.join(' ')}: ${ran.stderr}`)
      return ran.json()
    },
    allowTime: async deadlineMs => {
      const path = join(directory, 'data', 'config.yaml')
      const config = await readFile(path, 'utf8')
      await writeFile(path, config.replace(/deadlineMs: \d+/, `deadlineMs: ${deadlineMs}`))
    },
    serve: async () => {
      const started = await startServing(start(['serve', '--json'], environment('operator', {})))
      serving.add(started)
      return started
    },
    close: async () => {
      for (const each of serving) await each.stop()
      discardDirectory(directory)
    },
  }
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

function start(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (child.pid !== undefined) adoptChild(child.pid)
  return child
}

function collect(child: ChildProcess): {
  readonly stdout: () => string
  readonly stderr: () => string
} {
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (chunk: Buffer) => (written[name] += chunk.toString('utf8')))
  return { stdout: () => written.stdout, stderr: () => written.stderr }
}

async function ended(child: ChildProcess): Promise<number | null> {
  const [status] = (await once(child, 'close')) as [number | null]
  if (child.pid !== undefined) releaseChild(child.pid)
  return status
}

async function runToEnd(child: ChildProcess): Promise<Ended> {
  const written = collect(child)
  const status = await ended(child)
  const [stdout, stderr] = [written.stdout(), written.stderr()]
  return {
    status,
    stdout,
    stderr,
    json: () => JSON.parse(stdout) as Record<string, never>,
    code: /^([a-z0-9_-]+): /m.exec(stderr)?.[1],
  }
}

async function startServing(child: ChildProcess): Promise<Serving> {
  const written = collect(child)
  const end = ended(child)
  const document = await Promise.race([listening(child, written.stdout), end])
  if (document === null || typeof document === 'number')
    throw new Error(`the service ended with ${document}: ${written.stderr()}`)
  return {
    document,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      return { status: await (child.exitCode ?? end), stderr: written.stderr() }
    },
  }
}

async function listening(
  child: ChildProcess,
  stdout: () => string,
): Promise<Record<string, unknown>> {
  for (;;) {
    try {
      return JSON.parse(stdout()) as Record<string, unknown>
    } catch {
      if (child.stdout === null) throw new Error('no stdout')
      await once(child.stdout, 'data')
    }
  }
}
