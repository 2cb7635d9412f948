import { Option } from 'commander'
import { defineCommand, type CommandGroup, type CommandRow } from './command.ts'
import { grantLines, minutesText } from './grant-lines.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderTable, renderTime } from './table.ts'
import { someText, valueOf, wholeNumber } from './usage-error.ts'

interface ListOptions {
  readonly all?: boolean
}

const list: CommandRow = defineCommand<ListOptions>({
  name: 'list',
  summary: 'Lists the grant requests that wait, and the approvals that count.',
  examples: ['assay grant list', 'assay grant list --all'],
  options: [new Option('--all', 'those that are over too, for a day')],
  run: async ({ session, options }) => {
    const { client } = await connectOperator(session)
    const grants = recordsOf(await client.call('GET', '/v1/grants'), 'grants').filter(
      row => options.all === true || ['pending', 'approved'].includes(cellOf(row, 'status')),
    )
    const columns = [
      { title: 'id', cell: (row: ShownRecord) => cellOf(row, 'id') },
      { title: 'status', cell: (row: ShownRecord) => cellOf(row, 'status') },
      { title: 'agent', cell: (row: ShownRecord) => cellOf(row, 'agent') },
      { title: 'audience', cell: (row: ShownRecord) => cellOf(row, 'audience') },
      { title: 'scopes', cell: (row: ShownRecord) => cellOf(row, 'scopes') },
      { title: 'details', cell: (row: ShownRecord) => (row['details'] === null ? '' : 'yes') },
      { title: 'until', cell: (row: ShownRecord) => renderTime(row['expiresAt']) },
    ]
    return { json: { grants }, lines: renderTable(grants, columns, 'Nothing waits.') }
  },
})

const show: CommandRow = defineCommand({
  name: 'show',
  args: '<id>',
  summary: 'Shows exactly what an agent asks for, and what became of it.',
  examples: ['assay grant show 5Jw0…'],
  run: async ({ session, args: [id = ''] }) => {
    const { client } = await connectOperator(session)
    const request = recordOf(await client.call('GET', `/v1/grants/${encodeURIComponent(id)}`))
    return { json: request, lines: grantLines(request) }
  },
})

interface ReasonOptions {
  readonly reason: string
}

interface ApproveOptions extends ReasonOptions {
  readonly once?: boolean
  readonly minutes?: number
}

function reasonOption(): Option {
  return new Option('--reason <text>', 'why').makeOptionMandatory().argParser(valueOf(someText))
}

const approve: CommandRow = defineCommand<ApproveOptions>({
  name: 'approve',
  args: '<id>',
  summary: 'Approves a grant request: for exactly what it says, once or for minutes.',
  details: [
    'Only an operator who does not answer for the agent may: neither the owner of its class nor, where none is named, who registered it. The agent then asks for the same again. Another key, audience, scope or detail is another request.',
    'A token that it gets ends with the approval at the latest. Policies say how long an approval may count; what they forbid by then, no approval permits.',
  ],
  examples: [
    "assay grant approve 5Jw0… --reason 'incident 7'",
    "assay grant approve 5Jw0… --minutes 30 --reason 'the migration'",
  ],
  options: [
    reasonOption(),
    new Option('--once', 'for one token (the default)').conflicts('minutes'),
    new Option('--minutes <number>', 'for as many tokens as are asked for in this time').argParser(
      valueOf(wholeNumber(1, 7 * 1440)),
    ),
  ],
  run: async ({ session, args: [id = ''], options: { reason, minutes } }) => {
    const { client } = await connectOperator(session)
    const body = { reason, ...(minutes === undefined ? {} : { minutes }) }
    const path = `/v1/grants/${encodeURIComponent(id)}/approve`
    const request = recordOf(await client.call('POST', path, body))
    const until = renderTime(request['expiresAt'])
    const lines = [
      `The request is approved ${minutesText(request)}, until ${until}.`,
      ...grantLines(request),
    ]
    return { json: request, lines }
  },
})

const deny: CommandRow = defineCommand<ReasonOptions>({
  name: 'deny',
  args: '<id>',
  summary: 'Denies a grant request; the agent cannot ask for the same while its time lasts.',
  examples: ["assay grant deny 5Jw0… --reason 'not on a Friday'"],
  options: [reasonOption()],
  run: async ({ session, args: [id = ''], options: { reason } }) => {
    const { client } = await connectOperator(session)
    const path = `/v1/grants/${encodeURIComponent(id)}/deny`
    const request = recordOf(await client.call('POST', path, { reason }))
    const until = renderTime(request['expiresAt'])
    return { json: request, lines: [`The request is denied, and not asked again until ${until}.`] }
  },
})

const withdraw: CommandRow = defineCommand<ReasonOptions>({
  name: 'withdraw',
  args: '<id>',
  summary: 'Takes an approval back; no further token is issued on it.',
  examples: ["assay grant withdraw 5Jw0… --reason 'done early'"],
  options: [reasonOption()],
  run: async ({ session, args: [id = ''], options: { reason } }) => {
    const { client } = await connectOperator(session)
    const path = `/v1/grants/${encodeURIComponent(id)}/withdraw`
    const request = recordOf(await client.call('POST', path, { reason }))
    const lines = [
      'The approval is taken back. Tokens that were issued on it live out their minutes.',
    ]
    return { json: request, lines }
  },
})

/** `assay grant` */
export const grantCommands: CommandGroup = {
  name: 'grant',
  summary: 'Just-in-time access: what agents ask operators to approve.',
  commands: [list, show, approve, deny, withdraw],
}
