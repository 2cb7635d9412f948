import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { CommandError } from './command-error.ts'
import { defineCommand, type CommandGroup, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { revokeCommand } from './revoke-command.ts'
import { renderFacts, renderTable, renderTime } from './table.ts'

/** What a serial number looks like; everything else is a file. */
const serialForm = /^[0-9a-fA-F]{2,40}$/

const list: CommandRow = defineCommand({
  name: 'list',
  summary: 'Lists the newest certificates of hosts and agents with their status.',
  examples: [
    'assay cert list',
    'assay cert list --json | jq \'.certificates[] | select(.status=="unknown") | .serial\'',
  ],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = await client.call('GET', '/v1/certificates')
    const columns = [
      { title: 'serial', cell: (row: ShownRecord) => cellOf(row, 'serial') },
      { title: 'status', cell: (row: ShownRecord) => cellOf(row, 'status') },
      { title: 'until', cell: (row: ShownRecord) => renderTime(row['notAfter']) },
      { title: 'SPIFFE ID', cell: (row: ShownRecord) => cellOf(row, 'spiffeId') },
    ]
    const lines = renderTable(recordsOf(answer, 'certificates'), columns, 'No certificate yet.')
    return { json: answer, lines }
  },
})

const show: CommandRow = defineCommand({
  name: 'show',
  args: '<serial|file>',
  summary: 'Shows one certificate: for whom, on which attestation it rests, and where it is told.',
  details: ['By its serial number in hexadecimal, or by a file that holds it in PEM or DER.'],
  examples: ['assay cert show 6f0a…', 'assay cert show ~/.config/assay/agents/reader.pem'],
  run: async ({ session, args: [text = ''] }) => {
    const serial = serialForm.test(text) ? text.toLowerCase() : await serialIn(text)
    const { client } = await connectOperator(session)
    const record = recordOf(await client.call('GET', `/v1/certificates/${serial}`))
    return { json: record, lines: renderFacts(factsOf(record)) }
  },
})

async function serialIn(path: string): Promise<string> {
  try {
    return new X509Certificate(await readFile(path)).serialNumber.toLowerCase()
  } catch (cause) {
    throw new CommandError('file-unreadable', { expected: 'a certificate', found: path, cause })
  }
}

function factsOf(record: ShownRecord): (readonly [string, string | undefined])[] {
  const revoked =
    record['revokedAt'] === null
      ? undefined
      : `${renderTime(record['revokedAt'])} ${cellOf(record, 'revocationReason')}`
  return [
    ['serial', cellOf(record, 'serial')],
    [
      'status',
      record['isExpired'] === true
        ? `${cellOf(record, 'status')}, expired`
        : cellOf(record, 'status'),
    ],
    ['revoked', revoked],
    ['SPIFFE ID', cellOf(record, 'spiffeId')],
    ['profile', cellOf(record, 'subjectKind')],
    ['key', cellOf(record, 'jkt')],
    ['assurance', cellOf(record, 'assurance')],
    ['attestation', cellOf(record, 'attestationId')],
    ['from', renderTime(record['notBefore'])],
    ['until', renderTime(record['notAfter'])],
    ['authority', cellOf(record, 'authorityId')],
    ['to be signed', cellOf(record, 'tbsSha256')],
    ['thumbprint', cellOf(record, 'x5t')],
    ['list', cellOf(record, 'crlUrl')],
    ['responder', cellOf(record, 'ocspUrl')],
  ]
}

/** `assay cert` */
export const certificateCommands: CommandGroup = {
  name: 'cert',
  summary: 'Certificates of hosts and agents.',
  commands: [
    list,
    show,
    revokeCommand({
      noun: 'certificate',
      args: '<serial>',
      summary: 'Revokes one certificate with the tokens that are bound to it.',
      details: [
        'Also one whose status is unknown or intended: a crash came between the record of the intent and that of the signature, so that it may have been signed.',
      ],
      example: "assay cert revoke 6f0a… --reason 'key was exported' --reason-code keyCompromise",
      target: (serial = '') => ({ kind: 'certificate', serial: serial.toLowerCase() }),
    }),
  ],
}
