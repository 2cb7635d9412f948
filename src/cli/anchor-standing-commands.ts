import { Option } from 'commander'
import { anchorColumns, parseFingerprint } from './anchor-labels.ts'
import { CommandError } from './command-error.ts'
import { defineCommand, type CommandRow } from './command.ts'
import { connectOperator, type ConnectedOperator } from './operator-client.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderTable } from './table.ts'
import { someText, UsageError, valueOf } from './usage-error.ts'
import { revokeCommand } from './revoke-command.ts'

interface ApproveOptions {
  readonly allProposed?: boolean
  readonly yes?: boolean
}

export const anchorApprove: CommandRow = defineCommand<ApproveOptions>({
  name: 'approve',
  args: '[fingerprints...]',
  summary: 'Puts proposed or retired certificates in force, all of them or none.',
  details: [
    'Shows what it puts in force. Compare the fingerprints with what the manufacturer publishes: from then on a TPM below one of these roots may ask to enrol.',
  ],
  examples: [
    `assay anchor approve ${'5e'.repeat(32)}`,
    'assay anchor approve --all-proposed',
    'assay anchor approve --all-proposed --yes',
  ],
  options: [
    new Option(
      '--all-proposed',
      'everything that is proposed now; shows it and stops, without --yes',
    ),
    new Option('--yes', 'what --all-proposed shows is right'),
  ],
  run: async ({ session, args, options: { allProposed = false, yes = false } }) => {
    const named = args.flatMap(text => (text === undefined ? [] : parseFingerprint(text)))
    if (allProposed && named.length > 0) throw new UsageError('usage-contradiction')
    if (!allProposed && named.length === 0)
      throw new UsageError('usage-missing', { expected: 'fingerprints, or --all-proposed' })
    const operator = await connectOperator(session)
    const anchors = await selectAnchors(operator, named)
    if (anchors.length === 0)
      return { json: { version: null, anchors: [] }, lines: ['Nothing is proposed.'] }
    if (allProposed && !yes) throw unconfirmed(anchors)
    const body = { fingerprints: anchors.map(row => cellOf(row, 'fingerprint')) }
    const answer = recordOf(await operator.client.call('POST', '/v1/anchors/approve', body))
    const version = cellOf(answer, 'version')
    return {
      json: { version: answer['version'], anchors },
      lines: [...renderTable(anchors, anchorColumns, ''), '', `In force with version ${version}.`],
    }
  },
})

/** The certificates that are named, as the service has them; those that are proposed where none is. */
async function selectAnchors(
  { client }: ConnectedOperator,
  named: readonly string[],
): Promise<ShownRecord[]> {
  const all = recordsOf(await client.call('GET', '/v1/anchors'), 'anchors')
  if (named.length === 0) return all.filter(row => row['status'] === 'proposed')
  // One that the service does not know is left to it to refuse.
  return [...new Set(named)].map(
    fingerprint => all.find(row => row['fingerprint'] === fingerprint) ?? { fingerprint },
  )
}

function unconfirmed(anchors: readonly ShownRecord[]): CommandError {
  const found = `${anchors.length} proposed`
  const lines = renderTable(anchors, anchorColumns, '')
  return new CommandError(
    'approval-unconfirmed',
    { found },
    { json: { version: null, anchors }, lines },
  )
}

export const anchorRetire: CommandRow = defineCommand<{ readonly reason: string }>({
  name: 'retire',
  args: '<fingerprint>',
  summary: 'Takes a certificate out of force, or a proposed one off the table.',
  details: [
    'Hosts below it keep their standing until their Attestation Result ends, and do not come in again; whoever wants them out at once revokes them.',
  ],
  examples: [`assay anchor retire ${'5e'.repeat(32)} --reason 'the maker lost its key'`],
  options: [
    new Option('--reason <text>', 'why, for the log')
      .makeOptionMandatory()
      .argParser(valueOf(someText)),
  ],
  run: async ({ session, args: [text = ''], options: { reason } }) => {
    const fingerprint = parseFingerprint(text)
    const { client } = await connectOperator(session)
    const path = `/v1/anchors/${fingerprint}/retire`
    const answer = recordOf(await client.call('POST', path, { reason }))
    const version = cellOf(answer, 'version')
    return { json: answer, lines: [`${fingerprint} is out of force with version ${version}.`] }
  },
})

/** `assay anchor revoke` */
export const anchorRevoke: CommandRow = revokeCommand({
  noun: 'certificate',
  args: '<fingerprint>',
  summary: 'Revokes a maker’s certificate with every host whose EK path had it, in whatever place.',
  details: ['Also one that is no anchor here. What it vouched for does not enrol again.'],
  example: `assay anchor revoke ${'5e'.repeat(32)} --reason 'the maker lost its key' --dry-run`,
  target: (text = '') => ({ kind: 'anchor', fingerprint: parseFingerprint(text) }),
})
