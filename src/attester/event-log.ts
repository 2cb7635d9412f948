import { open } from 'node:fs/promises'
import { AttesterError } from './error.ts'

/** Where the kernel shows what was measured; absent on old firmware, in containers, and to users other than root. */
export interface EventLogPaths {
  readonly firmware: string
  readonly ima: string
}

/** Logs as the kernel gives them, untrusted until they are replayed against a quote; undefined where there is none. */
export interface EventLogs {
  /** TCG PC Client Platform Firmware Profile r1.05 §10: the log of the firmware and the boot loader. */
  readonly firmware: Uint8Array | undefined
  /** The binary list of the Integrity Measurement Architecture. */
  readonly ima: Uint8Array | undefined
}

/** securityfs(5) as Linux mounts it. */
export const eventLogPaths: EventLogPaths = {
  firmware: '/sys/kernel/security/tpm0/binary_bios_measurements',
  ima: '/sys/kernel/security/ima/binary_runtime_measurements',
}

/** An IMA list of a million entries is below this. */
const defaultLimitBytes = 256 * 1024 * 1024
const chunkBytes = 64 * 1024

/** What is said of a log that is not there, or not for this user. */
const absences = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ENODEV']

/**
 * Reads the event logs of this boot. Their absence is normal, and no error.
 *
 * @throws AttesterError `event-log-too-large`
 */
export async function loadEventLogs(
  paths: EventLogPaths = eventLogPaths,
  limitBytes = defaultLimitBytes,
): Promise<EventLogs> {
  const [firmware, ima] = await Promise.all(
    [paths.firmware, paths.ima].map(async path => await loadLog(path, limitBytes)),
  )
  return { firmware, ima }
}

async function loadLog(path: string, limitBytes: number): Promise<Uint8Array | undefined> {
  try {
    return await readToEnd(path, limitBytes)
  } catch (error) {
    if (absences.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** Files of securityfs say that they are empty: they are read until nothing more comes. */
async function readToEnd(path: string, limitBytes: number): Promise<Uint8Array> {
  await using file = await open(path, 'r')
  const chunks: Buffer[] = []
  for (let length = 0; ;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, null)
    if (bytesRead === 0) return Buffer.concat(chunks)
    chunks.push(buffer.subarray(0, bytesRead))
    length += bytesRead
    if (length > limitBytes) {
      throw new AttesterError('event-log-too-large', {
        expected: `${limitBytes} bytes`,
        found: path,
      })
    }
  }
}
