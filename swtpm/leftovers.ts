import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// What has to go when this process ends, whichever way: directories and child processes of its own.
const directories = new Set<string>()
const children = new Set<number>()
let watching = false

/** Makes a private directory (mode 0700) that is removed when the process ends, or earlier by {@link discardDirectory}. */
export async function createPrivateDirectory(prefix: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), `${prefix}-`))
  directories.add(directory)
  watch()
  return directory
}

/** Removes a directory of {@link createPrivateDirectory}. */
export function discardDirectory(directory: string): void {
  if (directories.delete(directory)) rmSync(directory, { recursive: true, force: true })
}

/** Ends a child process with this one, unless it is released first. */
export function adoptChild(pid: number): void {
  children.add(pid)
  watch()
}

/** A child process has ended by itself. */
export function releaseChild(pid: number): void {
  children.delete(pid)
}

function watch(): void {
  if (watching) return
  watching = true
  process.on('exit', sweep)
  // A signal ends Node without 'exit': sweep, then let the signal do what it would have done.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      sweep()
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
    })
  }
}

function sweep(): void {
  for (const pid of children) kill(pid)
  children.clear()
  for (const directory of directories)
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
  directories.clear()
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended by itself
  }
}
