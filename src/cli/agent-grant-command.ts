import { defineCommand, type CommandRow } from './command.ts'
import { connectAgent } from './agent-machine.ts'
import { grantLines } from './grant-lines.ts'
import { tpmOptions, type TpmOptions } from './host-machine.ts'
import { recordOf } from './records.ts'

/** `assay agent grant` */
export const grantCommand: CommandRow = defineCommand<TpmOptions>({
  name: 'grant',
  args: '<request> [id]',
  summary: 'Shows what became of a grant request of an agent of this machine.',
  details: [
    'A refused token names the request. The id may be left out where this machine has one agent.',
  ],
  examples: ['assay agent grant 9Qm2…', 'assay agent grant 9Qm2… 5Jw0…'],
  options: tpmOptions(),
  run: async ({ session, args: [request = '', id], options }) => {
    const { client } = await connectAgent(session, id, options)
    const path = `/v1/own-grants/${encodeURIComponent(request)}`
    const shown = recordOf(await client.call('GET', path))
    return { json: shown, lines: grantLines(shown) }
  },
})
