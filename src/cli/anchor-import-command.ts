import { readFile } from 'node:fs/promises'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import { readCollection, type CollectedCertificate, type Collection } from './anchor-collection.ts'
import { labelOptions, type LabelOptions } from './anchor-labels.ts'
import { CommandError } from './command-error.ts'
import { defineCommand, type CommandRow } from './command.ts'
import { connectOperator, type ConnectedOperator } from './operator-client.ts'
import { cellOf, recordsOf, type ShownRecord } from './records.ts'
import { renderTable } from './table.ts'
import { loadTpmVendors } from './tpm-vendors.ts'

/** What the service takes: certificates in one call, and bytes of one. */
const limits = { certificates: 1_000, certificate: 8 * 1024 } as const

export const anchorImport: CommandRow = defineCommand<LabelOptions>({
  name: 'import',
  args: '<file>',
  summary:
    'Takes certificates of TPM manufacturers in as proposals; nothing of it is in force yet.',
  details: [
    'The file is a certificate in DER or PEM, a PEM bundle, or the vendor collection that Microsoft publishes as TrustedTpm.cab, whose folders say whose they are. Roots become trust anchors when they are approved, and intermediates help to build paths.',
    'What you say with --name, --vendor and --assurance counts before what a folder says; for anything but the collection all three are needed.',
  ],
  examples: [
    'assay anchor import TrustedTpm.cab',
    'assay anchor import nuvoton.pem --name nuvoton --vendor NTC --assurance tpm-discrete',
  ],
  options: labelOptions(),
  run: async ({ session, args: [file = ''], options }) => {
    const collection = sendable(await loadCollection(file, options))
    const operator = await connectOperator(session)
    const outcomes = await propose(operator, collection.certificates)
    const { passedOver } = collection
    return { json: { certificates: outcomes, passedOver }, lines: linesOf(outcomes, passedOver) }
  },
})

async function loadCollection(file: string, given: LabelOptions): Promise<Collection> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new CommandError('file-unreadable', { found: file, cause })
  })
  return await readCollection(file, bytes, given, await loadTpmVendors())
}

/** What the service would not even look at is passed over here, so that it keeps nothing else out. */
function sendable({ certificates, passedOver }: Collection): Collection {
  const isTooLarge = (row: CollectedCertificate): boolean =>
    row.certificate.length > limits.certificate
  return {
    certificates: certificates.filter(row => !isTooLarge(row)),
    passedOver: [...passedOver, ...certificates.filter(isTooLarge).map(({ source }) => source)],
  }
}

async function propose(
  { client }: ConnectedOperator,
  certificates: readonly CollectedCertificate[],
): Promise<ShownRecord[]> {
  const outcomes: ShownRecord[] = []
  for (let at = 0; at < certificates.length; at += limits.certificates) {
    const part = certificates.slice(at, at + limits.certificates).map(bodyOf)
    const answer = await client.call('POST', '/v1/anchors/import', { certificates: part })
    outcomes.push(...recordsOf(answer, 'certificates'))
  }
  return outcomes
}

function bodyOf({ certificate, source, ...labels }: CollectedCertificate): object {
  return { ...labels, source: plainSource(source), certificate: encodeBase64url(certificate) }
}

/** The end of a source, which tells most, in what the service takes: printable ASCII, 300 characters. */
function plainSource(source: string): string {
  return source.replaceAll(/[^\x20-\x7E]/g, '?').slice(-300)
}

function linesOf(outcomes: readonly ShownRecord[], passedOver: readonly string[]): string[] {
  const count = (outcome: string): number =>
    outcomes.filter(row => row['outcome'] === outcome).length
  const refused = outcomes.filter(row => row['outcome'] === 'refused')
  const columns = [
    { title: 'refused', cell: (row: ShownRecord) => cellOf(row, 'source') },
    { title: 'code', cell: (row: ShownRecord) => cellOf(row, 'code') },
    { title: 'found', cell: (row: ShownRecord) => cellOf(row, 'found') },
  ]
  const others = passedOver.map(source => ({ source }))
  const passed = { title: 'passed over', cell: (row: ShownRecord) => cellOf(row, 'source') }
  return [
    `${count('proposed')} proposed, ${count('known')} known already, ${refused.length} refused, ${passedOver.length} passed over.`,
    ...(refused.length === 0 ? [] : ['', ...renderTable(refused, columns, '')]),
    ...(others.length === 0 ? [] : ['', ...renderTable(others, [passed], '')]),
    '',
    'Nothing of it is in force. See what an approval would add: assay anchor diff',
  ]
}
