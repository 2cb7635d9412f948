import { defineCommand, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf } from './records.ts'

/** `assay host label` */
export const labelCommand: CommandRow = defineCommand({
  name: 'label',
  args: '<id> [labels]',
  summary:
    'Writes the labels of a host, which authorization policies read, in place of those it had.',
  details: ['Labels are given in one word, with commas between them; none takes all away.'],
  examples: ['assay host label 5Jw0… eu,rack-4'],
  run: async ({ session, args: [id = '', labels = ''] }) => {
    const { client } = await connectOperator(session)
    const path = `/v1/hosts/${encodeURIComponent(id)}/labels`
    const wanted = labels.split(',').filter(label => label !== '')
    const kept = recordOf(await client.call('POST', path, { labels: wanted }))
    return { json: kept, lines: [`Labels of ${id}: ${cellOf(kept, 'labels') || 'none'}`] }
  },
})
