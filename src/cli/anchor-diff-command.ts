import { Option } from 'commander'
import { anchorColumns } from './anchor-labels.ts'
import { defineCommand, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderTable } from './table.ts'
import { valueOf, wholeNumber } from './usage-error.ts'

const version = wholeNumber(0, 999_999_999)

export const anchorDiff: CommandRow = defineCommand<{
  readonly from?: number
  readonly to: number | 'proposed'
}>({
  name: 'diff',
  summary: 'Says what differs between two versions of the set, or what an approval would add.',
  details: [
    'Each approval and each retirement makes a new version. Without options: what is in force now, against it with all that is proposed.',
  ],
  examples: ['assay anchor diff', 'assay anchor diff --from 3 --to 5'],
  options: [
    new Option('--from <version>', 'where to begin (default: the version before)').argParser(
      valueOf(version),
    ),
    new Option('--to <version>', 'a version, or the word proposed')
      .default('proposed')
      .argParser(valueOf(text => (text === 'proposed' ? text : version(text)))),
  ],
  run: async ({ session, options: { from, to } }) => {
    const { client } = await connectOperator(session)
    const query = new URLSearchParams({
      to: `${to}`,
      ...(from !== undefined && { from: `${from}` }),
    })
    const answer = recordOf(await client.call('GET', `/v1/anchors/diff?${query.toString()}`))
    return { json: answer, lines: linesOf(answer) }
  },
})

function linesOf(answer: ShownRecord): string[] {
  const rows = [
    ...recordsOf(answer, 'added').map(row => ({ ...row, sign: '+' })),
    ...recordsOf(answer, 'removed').map(row => ({ ...row, sign: '-' })),
  ]
  const sign = { title: ' ', cell: (row: ShownRecord) => cellOf(row, 'sign') }
  const [from, to] = [cellOf(answer, 'from'), cellOf(answer, 'to')]
  const end = to === 'proposed' ? 'what is proposed' : `version ${to}`
  const nothing = `Nothing differs between version ${from} and ${end}.`
  return renderTable(rows, [sign, ...anchorColumns], nothing)
}
