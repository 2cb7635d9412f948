import { Option } from 'commander'
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import { anchorDiff } from './anchor-diff-command.ts'
import { anchorImport } from './anchor-import-command.ts'
import { anchorColumns, labelOptions, type LabelOptions } from './anchor-labels.ts'
import { anchorApprove, anchorRetire, anchorRevoke } from './anchor-standing-commands.ts'
import { CommandError } from './command-error.ts'
import { defineCommand, type CommandGroup, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { revocationListCommands } from './revocation-list-commands.ts'
import { renderFacts, renderTable, renderTime } from './table.ts'

const add: CommandRow = defineCommand<LabelOptions>({
  name: 'add',
  args: '<file>',
  summary: 'Admits the root certificate of a TPM manufacturer as a trust anchor.',
  details: [
    'A TPM whose endorsement certificate chains to it may then ask to enrol, at the assurance level that you state here.',
  ],
  examples: [
    'assay anchor add infineon-root.pem --name infineon --vendor IFX --assurance tpm-discrete',
  ],
  options: labelOptions().map(option => option.makeOptionMandatory()),
  run: async ({ session, args: [file = ''], options: { name, vendor, assurance } }) => {
    const certificate = encodeBase64url(await loadCertificate(file))
    const { client } = await connectOperator(session)
    const body = { certificate, name, vendor, assurance }
    const anchor = recordOf(await client.call('POST', '/v1/anchors', body))
    return {
      json: anchor,
      lines: [
        'The trust anchor is admitted.',
        ...renderFacts([
          ['fingerprint', cellOf(anchor, 'fingerprint')],
          ['name', cellOf(anchor, 'name')],
          ['vendor', cellOf(anchor, 'vendor')],
          ['assurance', cellOf(anchor, 'assurance')],
        ]),
      ],
    }
  },
})

const list: CommandRow = defineCommand<{ readonly all?: boolean }>({
  name: 'list',
  summary: 'Lists the trust anchors in force, or every certificate that was ever brought.',
  examples: ['assay anchor list', "assay anchor list --all --json | jq '.anchors[].fingerprint'"],
  options: [new Option('--all', 'also those that are proposed or retired')],
  run: async ({ session, options: { all = false } }) => {
    const { client } = await connectOperator(session)
    const every = recordsOf(await client.call('GET', '/v1/anchors'), 'anchors')
    const anchors = every.filter(row => all || row['status'] === 'active')
    const status = { title: 'status', cell: (row: ShownRecord) => cellOf(row, 'status') }
    const since = {
      title: 'admitted',
      cell: (row: ShownRecord) => renderTime(row['approvedAt'] ?? row['addedAt']),
    }
    const own = all ? [status] : [since]
    const columns = [...anchorColumns.slice(0, -1), ...own, ...anchorColumns.slice(-1)]
    return { json: { anchors }, lines: renderTable(anchors, columns, nothingOf(every)) }
  },
})

function nothingOf({ length }: readonly ShownRecord[]): string {
  return length === 0
    ? 'No trust anchor is admitted yet: no TPM can enrol. See assay anchor add --help.'
    : 'No trust anchor is in force: no TPM can enrol. See assay anchor diff and approve.'
}

/** `assay anchor` */
export const anchorCommands: CommandGroup = {
  name: 'anchor',
  summary: 'Trust anchors: the makers of TPMs whose certificates count.',
  commands: [
    add,
    anchorImport,
    anchorDiff,
    anchorApprove,
    anchorRetire,
    anchorRevoke,
    list,
    revocationListCommands,
  ],
}

/** DER of the one certificate in a file, PEM or DER. */
async function loadCertificate(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new CommandError('file-unreadable', { found: path, cause })
  })
  const blocks = bytes.toString('latin1').match(/-----BEGIN CERTIFICATE-----/g)?.length ?? 0
  if (blocks > 1)
    throw new CommandError('file-unreadable', {
      expected: 'one certificate',
      found: `${path} with ${blocks}`,
    })
  try {
    return new Uint8Array(new X509Certificate(bytes).raw)
  } catch (cause) {
    throw new CommandError('file-unreadable', {
      expected: 'a certificate, PEM or DER',
      found: path,
      cause,
    })
  }
}
