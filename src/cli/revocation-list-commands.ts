import { Option } from 'commander'
import { readFile } from 'node:fs/promises'
import { decodePem } from '../attester/pem.ts'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import { CommandError } from './command-error.ts'
import { defineCommand, type CommandGroup, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderFacts, renderTable, renderTime } from './table.ts'
import { someText, valueOf } from './usage-error.ts'

const add: CommandRow = defineCommand<{ readonly source?: string }>({
  name: 'add',
  args: '<file>',
  summary: 'Brings a certificate revocation list or an OCSP response of a TPM manufacturer.',
  details: [
    'In DER, a list also in PEM. The authority that signed it must be in force; the newest list of each is kept. A key or intermediate that it revokes does not come in any more.',
  ],
  examples: ['assay anchor crl add OptigaRsaMfrCA036.crl --source http://pki.infineon.com/'],
  options: [
    new Option('--source <text>', 'where it is from, for people').argParser(valueOf(someText)),
  ],
  run: async ({ session, args: [file = ''], options: { source } }) => {
    const list = encodeBase64url(await loadList(file))
    const { client } = await connectOperator(session)
    const body = { list, ...(source !== undefined && { source }) }
    const kept = recordOf(await client.call('POST', '/v1/revocation-lists', body))
    return {
      json: kept,
      lines: [
        kept['isStale'] === true
          ? 'The list is kept. It is stale: it clears nobody, and what it revokes stays revoked.'
          : 'The list is kept.',
        ...renderFacts([
          ['issuer', cellOf(kept, 'issuer')],
          ['kind', cellOf(kept, 'kind')],
          ['number', cellOf(kept, 'number')],
          ['revoked', cellOf(kept, 'revoked')],
          ['issued', renderTime(kept['thisUpdate'])],
          ['next', renderTime(kept['nextUpdate'])],
        ]),
      ],
    }
  },
})

const list: CommandRow = defineCommand({
  name: 'list',
  summary: 'Lists what issuers revoked, as it is kept, and which lists are stale.',
  examples: ['assay anchor crl list'],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = await client.call('GET', '/v1/revocation-lists')
    const columns = [
      { title: 'issuer', cell: (row: ShownRecord) => cellOf(row, 'issuer') },
      { title: 'kind', cell: (row: ShownRecord) => cellOf(row, 'kind') },
      { title: 'number', cell: (row: ShownRecord) => cellOf(row, 'number') },
      { title: 'revoked', cell: (row: ShownRecord) => cellOf(row, 'revoked') },
      { title: 'issued', cell: (row: ShownRecord) => renderTime(row['thisUpdate']) },
      { title: 'next', cell: (row: ShownRecord) => renderTime(row['nextUpdate']) },
      { title: 'stale', cell: (row: ShownRecord) => (row['isStale'] === true ? 'yes' : 'no') },
      { title: 'source', cell: (row: ShownRecord) => cellOf(row, 'source') },
    ]
    const nothing =
      'No list is kept: nobody has said what is revoked. See assay anchor crl add --help.'
    return {
      json: answer,
      lines: renderTable(recordsOf(answer, 'revocationLists'), columns, nothing),
    }
  },
})

/** `assay anchor crl` */
export const revocationListCommands: CommandGroup = {
  name: 'crl',
  summary: 'What makers of TPMs revoked: lists, and answers of responders.',
  commands: [add, list],
}

/** The bytes of a file; of the one list in it, where it is PEM. */
async function loadList(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new CommandError('file-unreadable', { found: path, cause })
  })
  const text = bytes.toString('latin1')
  if (!text.includes('-----BEGIN')) return bytes
  const block = decodePem(text, ['X509 CRL'])
  if (block !== undefined) return block
  throw new CommandError('file-unreadable', { expected: 'one list, PEM or DER', found: path })
}
