import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { freePort } from './free-port.ts'

const program = join(import.meta.dirname, '..', '..', 'src', 'cli', 'assay.ts')

/** A service on loopback that accepts emulated TPMs, set up and run through the `assay` command. */
export interface PlayedService {
  readonly issuer: string
  /** Of its operator: what commands are run with. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Home of its operator. */
  readonly home: string
  /** Data of the service. */
  readonly data: string
  /** Runs a command to its end; gives its exit code. */
  run(words: readonly string[], output?: 'inherit' | 'ignore'): Promise<number>
  /** Ends the service and leaves nothing of it. */
  stop(): Promise<void>
}

/**
 * Starts the service of an empty directory.
 *
 * @param name of the directory, for people who look what runs here
 */
export async function startPlayedService(name: string): Promise<PlayedService> {
  const directory = await createPrivateDirectory(name)
  const [home, data] = [join(directory, 'home'), join(directory, 'data')]
  const env = {
    ...process.env,
    ASSAY_HOME: home,
    ASSAY_DATA: data,
    ASSAY_LOG_LEVEL: 'fatal',
  }
  const start = (words: readonly string[], output: 'inherit' | 'ignore'): ChildProcess => {
    const flags = ['--disable-warning=ExperimentalWarning', program, ...words]
    return spawn(process.execPath, flags, { env, stdio: ['ignore', output, output] })
  }
  const run: PlayedService['run'] = async (words, output = 'ignore') => {
    const [code] = (await once(start(words, output), 'exit')) as [number | null]
    return code ?? 1
  }
  const port = await freePort()
  const issuer = `https://localhost:${port}`
  await run(['init', '--issuer', issuer, '--listen', `127.0.0.1:${port}`, '--allow-emulated'])
  const service = start(['serve', '--no-init'], 'ignore')
  const stop = async (): Promise<void> => {
    if (service.exitCode === null && service.signalCode === null) {
      service.kill('SIGTERM')
      await once(service, 'exit')
    }
    discardDirectory(directory)
  }
  try {
    await waitUntilReady(run)
  } catch (cause) {
    await stop()
    throw cause
  }
  return { issuer, env, home, data, run, stop }
}

/** Commands are refused until the service listens. */
async function waitUntilReady(run: PlayedService['run']): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) if ((await run(['anchor', 'list'])) === 0) return
  throw new Error('the service did not answer')
}
