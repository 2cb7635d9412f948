import { Option } from 'commander'
import { attestationVendorOf } from '../core/formats/attested/vendor-table.ts'
import { cellOf, type ShownRecord } from './records.ts'
import { renderTime, type Column } from './table.ts'
import { UsageError, valueOf } from './usage-error.ts'

/** What an operator says of certificates: nothing in them can. */
export interface LabelOptions {
  readonly name?: string
  readonly vendor?: string
  readonly assurance?: string
}

/** The options of {@link LabelOptions}, made anew for each command. */
export function labelOptions(): readonly [Option, Option, Option] {
  return [
    new Option('--name <name>', 'what to call it'),
    new Option(
      '--vendor <id>',
      'TCG vendor id, such as id:49465800, or its letters, such as IFX; of HSMs the product, such as yubihsm2',
    ).argParser(valueOf(parseVendor)),
    new Option(
      '--assurance <level>',
      'how its TPMs are built; hsm-attested for a product’s authority of an HSM vendor',
    ).choices(['tpm-discrete', 'tpm-firmware', 'tpm-virtual', 'hsm-attested', 'emulated']),
  ]
}

/** TCG Vendor ID Registry: `id:` and eight digits, or up to four letters of which the digits are the ASCII. */
function parseVendor(text: string): string {
  if (/^id:[0-9A-Fa-f]{8}$/.test(text)) return `id:${text.slice(3).toUpperCase()}`
  if (attestationVendorOf(text) !== undefined) return text
  if (!/^[A-Z][A-Z0-9 ]{1,3}$/.test(text))
    throw new UsageError('usage-malformed', { expected: 'id:49465800 or letters such as IFX' })
  return `id:${Buffer.from(text.padEnd(4, '\0'), 'ascii').toString('hex').toUpperCase()}`
}

/**
 * The SHA-256 of a certificate, with or without `sha256:` before it.
 *
 * @throws UsageError `usage-malformed`
 */
export function parseFingerprint(text: string): string {
  const [, digits] = /^(?:sha256:)?([0-9a-f]{64})$/.exec(text.toLowerCase()) ?? []
  if (digits !== undefined) return digits
  throw new UsageError('usage-malformed', {
    expected: 'a fingerprint of 64 hexadecimal digits',
    found: text.slice(0, 80),
  })
}

/** How anchors are listed wherever they are. */
export const anchorColumns: readonly Column<ShownRecord>[] = [
  { title: 'name', cell: row => cellOf(row, 'name') },
  { title: 'vendor', cell: row => cellOf(row, 'vendor') },
  { title: 'assurance', cell: row => cellOf(row, 'assurance') },
  { title: 'kind', cell: row => cellOf(row, 'kind') },
  { title: 'valid to', cell: row => renderTime(row['notAfter']).slice(0, 10) },
  { title: 'fingerprint', cell: row => cellOf(row, 'fingerprint') },
]
