import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { runCommandLine } from '../../src/cli/run.ts'
import { loadEnvironment } from '../../src/config.ts'

/** What a command line wrote and how it ended. */
export interface Ran {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  readonly json: () => unknown
}

/** Runs a command line in this process, with streams that are no terminal, as the client of an empty home. */
export async function runCli(
  args: readonly string[],
  home = '/nonexistent/home',
  isTerminal = false,
): Promise<Ran> {
  const written = { stdout: '', stderr: '' }
  const streamOf = (name: 'stdout' | 'stderr') => ({
    isTTY: isTerminal,
    write: (text: string | Uint8Array) => {
      written[name] += String(text)
      return true
    },
  })
  const environment = loadEnvironment({ ASSAY_HOME: home, ASSAY_DATA: join(home, 'data') })
  const streams = { stdout: streamOf('stdout'), stderr: streamOf('stderr') }
  const status = await runCommandLine(args, environment, streams)
  return { ...written, status, json: () => JSON.parse(written.stdout) as unknown }
}

/** An empty directory, gone with the test. */
export async function scratch(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'assay-cli-'))
  t.teardown(async () => await rm(directory, { recursive: true, force: true }))
  return directory
}
