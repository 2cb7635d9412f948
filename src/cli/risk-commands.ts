import { Option } from 'commander'
import { defineCommand, type CommandGroup, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderTable, renderTime } from './table.ts'
import { someText, valueOf, wholeNumber } from './usage-error.ts'

const kinds = ['host', 'agent', 'class', 'operator']

interface SetOptions {
  readonly score: number
  readonly reason: string
  readonly minutes: number
}

const set: CommandRow = defineCommand<SetOptions>({
  name: 'set',
  args: '<kind> <id>',
  summary: 'Sets the risk score of a host, agent, class or operator, until a time.',
  details: [
    'Authorization policies read it as riskScore. An agent has the highest of its own, its class’s and its host’s. Author, reason and end stand in the audit log.',
  ],
  examples: [
    "assay risk set agent 5Jw0… --score 80 --reason 'asked for what it never asked for' --minutes 60",
  ],
  options: [
    new Option('--score <number>', '1 to 100')
      .makeOptionMandatory()
      .argParser(valueOf(wholeNumber(1, 100))),
    new Option('--reason <text>', 'why').makeOptionMandatory().argParser(valueOf(someText)),
    new Option('--minutes <number>', 'how long it counts')
      .makeOptionMandatory()
      .argParser(valueOf(wholeNumber(1, 366 * 1440))),
  ],
  run: async ({ session, args: [kind = '', subjectId = ''], options }) => {
    const { score, reason, minutes } = options
    const { client } = await connectOperator(session)
    const body = { kind, subjectId, score, reason, expiresInSeconds: minutes * 60 }
    const kept = recordOf(await client.call('POST', '/v1/risk', body))
    const until = renderTime(kept['expiresAt'])
    return {
      json: kept,
      lines: [`The risk score of ${kind} ${subjectId} is ${score} until ${until}.`],
    }
  },
})

const clear: CommandRow = defineCommand({
  name: 'clear',
  args: '<kind> <id>',
  summary: 'Takes a risk score back before its time.',
  examples: ['assay risk clear agent 5Jw0…'],
  run: async ({ session, args: [kind = '', subjectId = ''] }) => {
    const { client } = await connectOperator(session)
    const answer = recordOf(await client.call('POST', '/v1/risk/clear', { kind, subjectId }))
    return { json: answer, lines: [`The ${kind} ${subjectId} has no risk score any more.`] }
  },
})

const list: CommandRow = defineCommand({
  name: 'list',
  summary: 'Lists the risk scores that count now.',
  examples: ['assay risk list'],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = recordOf(await client.call('GET', '/v1/risk'))
    const columns = [
      { title: 'kind', cell: (row: ShownRecord) => cellOf(row, 'kind') },
      { title: 'id', cell: (row: ShownRecord) => cellOf(row, 'subjectId') },
      { title: 'score', cell: (row: ShownRecord) => cellOf(row, 'score') },
      { title: 'until', cell: (row: ShownRecord) => renderTime(row['expiresAt']) },
      { title: 'reason', cell: (row: ShownRecord) => cellOf(row, 'reason') },
      { title: 'by', cell: (row: ShownRecord) => cellOf(row, 'setBy') },
    ]
    const nothing = 'Nobody has a risk score.'
    return { json: answer, lines: renderTable(recordsOf(answer, 'risks'), columns, nothing) }
  },
})

/** `assay risk` */
export const riskCommands: CommandGroup = {
  name: 'risk',
  summary: `Risk scores that authorization policies read: of a ${kinds.join(', ')}.`,
  commands: [set, clear, list],
}
