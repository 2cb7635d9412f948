import { AppraisalError } from './error.ts'
import { parseFirmwareVersion } from './firmware-version.ts'

/** Publicly known-vulnerable TPM firmware: data for rules, kept in a file that operators can read. */
export interface FirmwareAdvisory {
  /** CVE or the vendor's number. */
  readonly id: string
  readonly title: string
  /** TCG vendor id, as in an EK certificate: `id:49465800`. */
  readonly vendor: string
  /** Affected versions, each from and to inclusive, dotted words. */
  readonly versions: readonly { readonly from: string; readonly to: string }[]
  /** Where it was published. */
  readonly reference: string
}

/**
 * Reads the table of advisories (`ca/firmware-advisories.json`).
 *
 * @throws AppraisalError `advisories-malformed`, naming the row
 */
export function parseFirmwareAdvisories(json: string): FirmwareAdvisory[] {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw new AppraisalError('advisories-malformed', { cause })
  }
  if (!isObject(value) || !Array.isArray(value['advisories']))
    throw new AppraisalError('advisories-malformed', { expected: '{ "advisories": […] }' })
  return value['advisories'].map(parseAdvisory)
}

function parseAdvisory(row: unknown, index: number): FirmwareAdvisory {
  if (!isObject(row)) throw malformed(index, 'an object')
  const { id, title, vendor, versions, reference } = row
  if (!isText(id) || !isText(title) || !isText(reference) || !reference.startsWith('https://'))
    throw malformed(index, 'id, title, and an https reference')
  if (!isText(vendor) || !/^id:[0-9A-F]{8}$/.test(vendor)) throw malformed(index, 'a TCG vendor id')
  if (!Array.isArray(versions) || versions.length === 0) throw malformed(index, 'versions')
  return { id, title, vendor, versions: versions.map(range => parseRange(range, index)), reference }
}

function parseRange(range: unknown, index: number): { from: string; to: string } {
  const { from, to } = isObject(range) ? range : {}
  const low = isText(from) ? parseFirmwareVersion(from) : undefined
  const high = isText(to) ? parseFirmwareVersion(to) : undefined
  if (!isText(from) || !isText(to) || low === undefined || high === undefined || low > high)
    throw malformed(index, 'ranges of dotted versions, low to high')
  return { from, to }
}

/** The advisories that apply to a version of a vendor's firmware. A range to `7.61` holds all of `7.61.x.y`. */
export function advisoriesFor(
  advisories: readonly FirmwareAdvisory[],
  vendor: string,
  version: bigint,
): FirmwareAdvisory[] {
  return advisories.filter(
    row => row.vendor === vendor && row.versions.some(range => isWithin(version, range)),
  )
}

function isWithin(
  version: bigint,
  { from, to }: { readonly from: string; readonly to: string },
): boolean {
  const low = parseFirmwareVersion(from) ?? 0n
  const high = parseFirmwareVersion(to) ?? 0n
  const open = 16n * BigInt(4 - to.split('.').length)
  return version >= low && version >> open <= high >> open
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(index: number, expected: string): AppraisalError {
  return new AppraisalError('advisories-malformed', { expected, found: `row ${index + 1}` })
}
