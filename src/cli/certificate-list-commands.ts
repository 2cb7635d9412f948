import { Option } from 'commander'
import { readFile, writeFile } from 'node:fs/promises'
import { decodePem } from '../attester/pem.ts'
import { X509Error } from '../core/x509/error.ts'
import { parseCertificateList, type CertificateList } from '../core/x509/crl.ts'
import { CommandError } from './command-error.ts'
import { defineCommand, type CommandAnswer, type CommandGroup, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordsOf, type ShownRecord } from './records.ts'
import { UsageError } from './usage-error.ts'
import { renderFacts, renderTable, renderTime } from './table.ts'

const columns = [
  { title: 'authority', cell: (row: ShownRecord) => cellOf(row, 'authorityId').slice(0, 16) },
  { title: 'list', cell: (row: ShownRecord) => cellOf(row, 'shard') },
  { title: 'number', cell: (row: ShownRecord) => cellOf(row, 'number') },
  { title: 'revoked', cell: (row: ShownRecord) => cellOf(row, 'revoked') },
  { title: 'issued', cell: (row: ShownRecord) => renderTime(row['thisUpdate']) },
  { title: 'next', cell: (row: ShownRecord) => renderTime(row['nextUpdate']) },
]

const tableOf = (answer: unknown): string[] =>
  renderTable(recordsOf(answer, 'certificateLists'), columns, 'No list is published yet.')

const list: CommandRow = defineCommand({
  name: 'list',
  summary: 'Lists the revocation lists that the service publishes.',
  examples: ['assay crl list'],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = await client.call('GET', '/v1/certificate-lists')
    return { json: answer, lines: tableOf(answer) }
  },
})

const build: CommandRow = defineCommand({
  name: 'build',
  summary: 'Makes every revocation list anew, now.',
  details: [
    'Not needed for a revocation: its list follows within seconds by itself. After the signer was down for long.',
  ],
  examples: ['assay crl build'],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = await client.call('POST', '/v1/certificate-lists', {})
    return { json: answer, lines: tableOf(answer) }
  },
})

const show: CommandRow = defineCommand({
  name: 'show',
  args: '<file>',
  summary: 'Shows what a revocation list in a file says. It is read, not verified.',
  examples: ['assay crl show 3.crl'],
  run: async ({ args: [path = ''] }) => {
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw new CommandError('file-unreadable', { found: path, cause })
    })
    return describeList(readList(decodePem(bytes.toString('latin1'), ['X509 CRL']) ?? bytes, path))
  },
})

const fetchList: CommandRow = defineCommand<{ readonly out?: string }>({
  name: 'fetch',
  args: '<url>',
  summary: 'Fetches a list as a relying party does and shows it; the connection is to the service.',
  details: ['The URL as `assay cert show` and `assay crl list --json` tell it.'],
  examples: ['assay crl fetch https://assay.example.org/crl/ab12…/3 --out 3.crl'],
  options: [new Option('--out <file>', 'where the list is written, in DER')],
  run: async ({ session, args: [url = ''], options: { out } }) => {
    const { client, service } = await connectOperator(session)
    const path = url.startsWith(`${service.issuer}/`) ? url.slice(service.issuer.length) : ''
    if (!path.startsWith('/crl/'))
      throw new UsageError('usage-malformed', { expected: `${service.issuer}/crl/…`, found: url })
    const bytes = await client.readRaw(path)
    if (bytes === undefined) throw new CommandError('file-unreadable', { found: url })
    const answer = describeList(readList(bytes, url))
    if (out !== undefined) await writeFile(out, bytes)
    return answer
  },
})

function readList(bytes: Uint8Array, found: string): CertificateList {
  try {
    return parseCertificateList(bytes)
  } catch (cause) {
    if (!(cause instanceof X509Error)) throw cause
    throw new CommandError('file-unreadable', { expected: 'one list, PEM or DER', found, cause })
  }
}

function describeList(read: CertificateList): CommandAnswer {
  const { number, thisUpdate, nextUpdate, scope, distributionPoints = [] } = read
  const revoked = [...read.revoked].map(([serial, reason]) => ({ serial, reason }))
  return {
    json: {
      number: number.toString(),
      thisUpdate,
      nextUpdate: nextUpdate ?? null,
      scope,
      distributionPoints,
      revoked,
    },
    lines: [
      ...renderFacts([
        ['number', number.toString()],
        ['speaks of', [scope, ...distributionPoints].join(' ')],
        ['issued', renderTime(thisUpdate)],
        ['next', renderTime(nextUpdate)],
      ]),
      ...renderTable(
        revoked,
        [
          { title: 'serial', cell: row => row.serial },
          { title: 'reason', cell: row => String(row.reason) },
        ],
        'It revokes nothing.',
      ),
    ],
  }
}

/** `assay crl` */
export const certificateListCommands: CommandGroup = {
  name: 'crl',
  summary: 'Revocation lists that the service publishes.',
  commands: [list, show, build, fetchList],
}
