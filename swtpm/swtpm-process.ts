import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { EmulatorError } from './emulator-error.ts'
import { adoptChild, releaseChild } from './leftovers.ts'
import { missing } from './programs.ts'
import { exchange } from './tpm-proxy.ts'

/** One swtpm process on a Unix socket. */
export interface SwtpmProcess {
  readonly pid: number
  /** Ends it: after TPM2_Shutdown(CLEAR), or as if the power had failed. */
  end(how: 'orderly' | 'abrupt'): Promise<void>
}

const startMilliseconds = 10_000
const longestPath = 107 // sizeof(sun_path) - 1, unix(7)
// TPM2_Shutdown(TPM_SU_CLEAR): without it the TPM counts a failed authorization towards its lockout on the next start.
const shutdown = Buffer.from('80010000000c000001450000', 'hex')

const readClock = Buffer.from('80010000000a00000181', 'hex')

/**
 * Starts swtpm on a state directory; it is started up (TPM2_Startup(CLEAR)) and listens when this returns. It ends with
 * this process, even when that is killed.
 *
 * @throws {EmulatorError} emulator-program-missing, emulator-path-too-long, emulator-not-listening
 */
export async function startSwtpm(state: string, path: string): Promise<SwtpmProcess> {
  if (`${path}.ctrl`.length > longestPath)
    throw new EmulatorError('emulator-path-too-long', { found: path })
  requireProgram('swtpm')
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'swtpm', ...swtpmArguments(state, path)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const complaint = collect(child)
  await Promise.race([once(child, 'spawn'), failure(child)])
  const pid = child.pid as number
  adoptChild(pid)
  child.once('exit', () => releaseChild(pid))
  child.unref()
  await untilListening(child, path, complaint)
  return { pid, end: async how => await end(child, path, how) }
}

function swtpmArguments(state: string, path: string): string[] {
  const sockets = [
    '--server',
    `type=unixio,path=${path},mode=0600`,
    '--ctrl',
    `type=unixio,path=${path}.ctrl,mode=0600`,
  ]
  return [
    'socket',
    '--tpm2',
    '--tpmstate',
    `dir=${state}`,
    ...sockets,
    '--flags',
    'not-need-init,startup-clear',
  ]
}

function requireProgram(program: string): void {
  const directories = (process.env['PATH'] ?? '').split(delimiter)
  if (directories.some(directory => existsSync(join(directory, program)))) return
  throw missing(program, new Error('not found in PATH'))
}

function collect(child: ChildProcess): () => string {
  let text = ''
  const stderr = child.stderr as Socket
  stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
  stderr.unref()
  return () => text
}

async function failure(child: ChildProcess): Promise<never> {
  const [error] = (await once(child, 'error').catch((cause: unknown) => [cause])) as [Error]
  throw missing('setpriv', error)
}

async function untilListening(
  child: ChildProcess,
  path: string,
  complaint: () => string,
): Promise<void> {
  const deadline = performance.now() + startMilliseconds
  while (!(await answers(path))) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL')
      throw new EmulatorError('emulator-not-listening', {
        expected: `swtpm listens on ${path}`,
        found: complaint(),
      })
    }
    await pause(5)
  }
}

// It listens before it has started up: only an answer says that the start is complete and saved.
async function answers(path: string): Promise<boolean> {
  try {
    return (await exchange(path, readClock, startMilliseconds)).length > 0
  } catch {
    return false
  }
}

async function end(child: ChildProcess, path: string, how: 'orderly' | 'abrupt'): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit')
    if (how === 'orderly') await exchange(path, shutdown).catch(() => undefined)
    child.kill(how === 'orderly' ? 'SIGTERM' : 'SIGKILL')
    child.ref()
    await gone
  }
  await Promise.all([path, `${path}.ctrl`].map(async file => await rm(file, { force: true })))
}
