import { parseFirmwareVersion } from '../core/appraisal/firmware-version.ts'
import type { RevocationTarget } from '../ports/revocation.ts'
import { ServiceError } from './error.ts'

/**
 * A range of firmware as a target of revocation, from the syntax of `ca/firmware-advisories.json`: both ends are
 * within, and the upper one holds everything that begins with it.
 *
 * @param vendor TCG vendor id: `id:49465800`
 * @throws ServiceError `request-malformed` for what is no version, or a range from high to low
 */
export function firmwareRange(vendor: string, from: string, to: string): RevocationTarget {
  const low = parseFirmwareVersion(from)
  const last = parseFirmwareVersion(to)
  const open = 16n * BigInt(4 - to.split('.').length)
  const high = last === undefined ? undefined : last | ((1n << open) - 1n)
  if (low === undefined || high === undefined || low > high)
    throw new ServiceError('request-malformed', {
      expected: 'versions of dotted words, low to high',
      found: `${from}-${to}`,
    })
  return { kind: 'firmware', vendor, lowest: digitsOf(low), highest: digitsOf(high) }
}

function digitsOf(version: bigint): string {
  return version.toString(16).padStart(16, '0')
}
