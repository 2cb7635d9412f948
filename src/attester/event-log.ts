import { open } from 'node:fs/promises'

/** Where the kernel shows what was measured; absent on old firmware, in containers, and to users other than root. */
export interface EventLogPaths {
  readonly firmware: string
  /** Undefined for a TPM that is not the one that IMA extends. */
  readonly ima: string | undefined
}

/** Logs as the kernel gives them, untrusted until they are replayed against a quote; undefined where there is none. */
export interface EventLogs {
  /** TCG PC Client Platform Firmware Profile r1.05 §10: the log of the firmware and the boot loader. */
  readonly firmware: Uint8Array | undefined
  /** The binary list of the Integrity Measurement Architecture. */
  readonly ima: Uint8Array | undefined
  /** What is there and was left out, and why. */
  readonly notes: readonly string[]
}

/** As much as the service takes, in bytes. */
const limits = { firmware: 1024 * 1024, ima: 4 * 1024 * 1024 } as const
const chunkBytes = 64 * 1024
const securityfs = '/sys/kernel/security'

/**
 * Where the logs of a TPM lie; undefined for one that is not a device of this kernel, whose logs are somebody else's.
 *
 * @param tcti the string of the TCTI loader
 */
export function eventLogPathsOf(tcti: string): EventLogPaths | undefined {
  const [, number] = /^device:\/dev\/tpm(?:rm)?([0-9]{1,4})$/.exec(tcti) ?? []
  if (number === undefined) return undefined
  return {
    firmware: `${securityfs}/tpm${number}/binary_bios_measurements`,
    // IMA extends the first TPM of the machine.
    ima: number === '0' ? `${securityfs}/ima/binary_runtime_measurements` : undefined,
  }
}

/** Reads the event logs of this boot. That there are none is normal; what is there and cannot be taken is noted. */
export async function loadEventLogs(paths: EventLogPaths | undefined): Promise<EventLogs> {
  const notes: string[] = []
  if (paths === undefined) return { firmware: undefined, ima: undefined, notes }
  const firmware = await loadLog(paths.firmware, limits.firmware, notes)
  const ima = paths.ima === undefined ? undefined : await loadLog(paths.ima, limits.ima, notes)
  return { firmware, ima, notes }
}

async function loadLog(
  path: string,
  limit: number,
  notes: string[],
): Promise<Uint8Array | undefined> {
  try {
    const log = await readToEnd(path, limit)
    if (log === undefined) notes.push(`${path} is longer than ${limit} bytes`)
    return log
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (['EACCES', 'EPERM'].includes(code)) notes.push(`${path} can be read by root alone`)
    else if (!['ENOENT', 'ENOTDIR', 'ENODEV'].includes(code)) throw error
    return undefined
  }
}

/** Files of securityfs say that they are empty: they are read until nothing more comes. Undefined beyond the limit. */
async function readToEnd(path: string, limit: number): Promise<Uint8Array | undefined> {
  await using file = await open(path, 'r')
  const chunks: Buffer[] = []
  for (let length = 0; length <= limit;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, null)
    if (bytesRead === 0) return Buffer.concat(chunks)
    chunks.push(buffer.subarray(0, bytesRead))
    length += bytesRead
  }
  return undefined
}
