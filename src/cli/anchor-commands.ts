import { Option } from 'commander'
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import { CommandError } from './command-error.ts'
import { defineCommand, type CommandGroup, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderFacts, renderTable, renderTime } from './table.ts'
import { UsageError, valueOf } from './usage-error.ts'

interface AddOptions {
  readonly name: string
  readonly vendor: string
  readonly assurance: string
}

const add: CommandRow = defineCommand<AddOptions>({
  name: 'add',
  args: '<file>',
  summary: 'Admits the root certificate of a TPM manufacturer as a trust anchor.',
  details: [
    'A TPM whose endorsement certificate chains to it may then ask to enrol, at the assurance level that you state here.',
  ],
  examples: [
    'assay anchor add infineon-root.pem --name infineon --vendor IFX --assurance tpm-discrete',
  ],
  options: [
    new Option('--name <name>', 'what to call it').makeOptionMandatory(),
    new Option('--vendor <id>', 'TCG vendor id, such as id:49465800, or its letters, such as IFX')
      .makeOptionMandatory()
      .argParser(valueOf(parseVendor)),
    new Option('--assurance <level>', 'how its TPMs are built')
      .choices(['tpm-discrete', 'tpm-firmware', 'tpm-virtual', 'emulated'])
      .makeOptionMandatory(),
  ],
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

const list: CommandRow = defineCommand({
  name: 'list',
  summary: 'Lists the admitted trust anchors.',
  examples: ['assay anchor list', "assay anchor list --json | jq '.anchors[].fingerprint'"],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = await client.call('GET', '/v1/anchors')
    const columns = [
      { title: 'name', cell: (row: ShownRecord) => cellOf(row, 'name') },
      { title: 'vendor', cell: (row: ShownRecord) => cellOf(row, 'vendor') },
      { title: 'assurance', cell: (row: ShownRecord) => cellOf(row, 'assurance') },
      { title: 'admitted', cell: (row: ShownRecord) => renderTime(row['addedAt']) },
      { title: 'fingerprint', cell: (row: ShownRecord) => cellOf(row, 'fingerprint') },
    ]
    const nothing =
      'No trust anchor is admitted yet: no TPM can enrol. See assay anchor add --help.'
    return { json: answer, lines: renderTable(recordsOf(answer, 'anchors'), columns, nothing) }
  },
})

/** `assay anchor` */
export const anchorCommands: CommandGroup = {
  name: 'anchor',
  summary: 'Trust anchors: the makers of TPMs whose certificates count.',
  commands: [add, list],
}

/** TCG Vendor ID Registry: `id:` and eight digits, or up to four letters of which the digits are the ASCII. */
function parseVendor(text: string): string {
  if (/^id:[0-9A-Fa-f]{8}$/.test(text)) return `id:${text.slice(3).toUpperCase()}`
  if (!/^[A-Z][A-Z0-9 ]{1,3}$/.test(text))
    throw new UsageError('usage-malformed', { expected: 'id:49465800 or letters such as IFX' })
  return `id:${Buffer.from(text.padEnd(4, '\0'), 'ascii').toString('hex').toUpperCase()}`
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
