import { Option } from 'commander'
import { defineCommand, type CommandGroup, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderTable, renderTime } from './table.ts'
import { UsageError, valueOf } from './usage-error.ts'
import { revokeCommand } from './revoke-command.ts'

/** What `assay host enroll --no-certificate` shows, with or without `sha256:` before it. */
function parseDigest(text: string): string {
  const [, digits] = /^(?:sha256:)?([0-9a-f]{64})$/.exec(text.toLowerCase()) ?? []
  if (digits !== undefined) return digits
  throw new UsageError('usage-malformed', { expected: '64 hexadecimal digits' })
}

const list: CommandRow = defineCommand({
  name: 'list',
  summary: 'Lists endorsement keys without certificate, those that wait for a decision first.',
  examples: ['assay endorsement list'],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = await client.call('GET', '/v1/endorsements')
    const columns = [
      { title: 'id', cell: (row: ShownRecord) => cellOf(row, 'id') },
      { title: 'status', cell: (row: ShownRecord) => cellOf(row, 'status') },
      { title: 'host', cell: (row: ShownRecord) => cellOf(row, 'hostName') },
      { title: 'first seen', cell: (row: ShownRecord) => renderTime(row['firstSeen']) },
      { title: 'decided', cell: (row: ShownRecord) => renderTime(row['decidedAt']) },
    ]
    const nothing = 'No machine without endorsement certificate has come yet.'
    return { json: answer, lines: renderTable(recordsOf(answer, 'endorsements'), columns, nothing) }
  },
})

const add: CommandRow = defineCommand({
  name: 'add',
  args: '<digest>',
  summary: 'Lists an endorsement key by its digest before its machine comes.',
  details: [
    'The digest is the SHA-256 of the key as SubjectPublicKeyInfo, as a maker or whoever racked the machine hands it over.',
  ],
  examples: [`assay endorsement add ${'5e'.repeat(32)}`],
  run: async ({ session, args: [digest = ''] }) => {
    const spkiSha256 = parseDigest(digest)
    const { client } = await connectOperator(session)
    const record = recordOf(await client.call('POST', '/v1/endorsements', { spkiSha256 }))
    return { json: record, lines: [`The endorsement key ${cellOf(record, 'id')} is listed.`] }
  },
})

const approve: CommandRow = defineCommand<{ readonly digest: string }>({
  name: 'approve',
  args: '<id>',
  summary: 'Approves an endorsement key that waits, by the digest that its machine shows.',
  details: [
    'On the machine itself, assay host enroll --no-certificate shows the digest. Carry it over by hand: that you read it there is all that says whose key it is.',
  ],
  examples: [`assay endorsement approve 5Jw0… --digest ${'5e'.repeat(32)}`],
  options: [
    new Option('--digest <sha256>', 'as the machine itself shows it')
      .makeOptionMandatory()
      .argParser(valueOf(parseDigest)),
  ],
  run: async ({ session, args: [id = ''], options: { digest } }) => {
    const { client } = await connectOperator(session)
    const path = `/v1/endorsements/${encodeURIComponent(id)}/approve`
    const record = recordOf(await client.call('POST', path, { spkiSha256: digest }))
    return { json: record, lines: [`The endorsement key ${cellOf(record, 'id')} is approved.`] }
  },
})

const refuse: CommandRow = defineCommand({
  name: 'refuse',
  args: '<id>',
  summary: 'Refuses an endorsement key, also one that was approved or listed before.',
  examples: ['assay endorsement refuse 5Jw0…'],
  run: async ({ session, args: [id = ''] }) => {
    const { client } = await connectOperator(session)
    const path = `/v1/endorsements/${encodeURIComponent(id)}/refuse`
    const record = recordOf(await client.call('POST', path))
    return { json: record, lines: [`The endorsement key ${cellOf(record, 'id')} is refused.`] }
  },
})

const revoke = revokeCommand({
  noun: 'endorsement key',
  args: '<id>',
  summary: 'Revokes an endorsement key with the host of its TPM; it never enrols again, or at all.',
  details: ['The id is the member endorsementId of a host, or that of a list here.'],
  example: "assay endorsement revoke 5Jw0… --reason 'lost in transit'",
  target: (id = '') => ({ kind: 'endorsement', id }),
})

/** `assay endorsement` */
export const endorsementCommands: CommandGroup = {
  name: 'endorsement',
  summary: 'Endorsement keys of TPMs without certificate: what an operator vouches for.',
  commands: [list, add, approve, refuse, revoke],
}
