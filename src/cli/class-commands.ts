import { Option } from 'commander'
import { defineCommand, type CommandGroup, type CommandRow } from './command.ts'
import { loadDetails } from './detail-file.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderFacts, renderTable } from './table.ts'
import { someText, valuesOf, valueOf, wholeNumber } from './usage-error.ts'
import { revokeCommand } from './revoke-command.ts'

interface RegisterOptions {
  readonly audience: readonly string[]
  readonly scope?: readonly string[]
  readonly host: readonly string[]
  readonly tokenLifetime?: number
  readonly owner?: string
  readonly environment?: string
  readonly sensitivity?: string
  readonly clientId?: readonly string[]
  readonly details?: string
}

const register: CommandRow = defineCommand<RegisterOptions>({
  name: 'register',
  args: '<name>',
  summary: 'Registers a class of agents: where they may run and what they may ask for.',
  details: ['Lists are exact: nothing is implied, and what is not named is refused.'],
  examples: [
    "assay class register coder --audience https://api.example --scope tickets:read --host '*'",
  ],
  options: [
    new Option('--audience <url>', 'an API that its tokens may be for (again for more)')
      .makeOptionMandatory()
      .argParser(valuesOf(someText)),
    new Option('--scope <scope>', 'a scope that they may ask for there (again for more)').argParser(
      valuesOf(someText),
    ),
    new Option('--host <id>', 'a host on which they may run, * for every host (again for more)')
      .makeOptionMandatory()
      .argParser(valuesOf(someText)),
    new Option('--token-lifetime <seconds>', 'longest life of a token (default: 300)').argParser(
      valueOf(wholeNumber(30, 900)),
    ),
    new Option('--owner <name>', 'who answers for its agents').argParser(valueOf(someText)),
    new Option('--environment <name>', 'where they work (default: default)').argParser(
      valueOf(someText),
    ),
    new Option('--sensitivity <level>', 'of what they handle (default: internal)').choices([
      'public',
      'internal',
      'confidential',
      'restricted',
    ]),
    new Option(
      '--client-id <id>',
      'a name under which its agents are attested to other authorization servers (again for more)',
    ).argParser(valuesOf(someText)),
    new Option(
      '--details <file>',
      'types of authorization details that they may ask for (RFC 9396): a JSON array of objects with type and the values that are allowed',
    ),
  ],
  run: async ({ session, args: [name = ''], options }) => {
    const { details } = options
    const authorizationDetails = details === undefined ? [] : await loadDetails(details)
    const { client } = await connectOperator(session)
    const registered = recordOf(
      await client.call('POST', '/v1/classes', {
        name,
        audiences: options.audience,
        scopes: options.scope ?? [],
        hosts: options.host,
        clientIds: options.clientId ?? [],
        authorizationDetails,
        ...(options.tokenLifetime === undefined
          ? {}
          : { tokenLifetimeSeconds: options.tokenLifetime }),
        ...(options.owner === undefined ? {} : { owner: options.owner }),
        ...(options.environment === undefined ? {} : { environment: options.environment }),
        ...(options.sensitivity === undefined ? {} : { sensitivity: options.sensitivity }),
      }),
    )
    return { json: registered, lines: ['The class is registered.', ...factsOf(registered)] }
  },
})

function factsOf(registered: ShownRecord): string[] {
  return renderFacts([
    ['name', cellOf(registered, 'name')],
    ['audiences', cellOf(registered, 'audiences')],
    ['scopes', cellOf(registered, 'scopes') || 'none'],
    ['hosts', cellOf(registered, 'hosts')],
    ['owner', cellOf(registered, 'owner') || 'nobody'],
    ['environment', cellOf(registered, 'environment')],
    ['sensitivity', cellOf(registered, 'sensitivity')],
    ['token lifetime', `${cellOf(registered, 'tokenLifetimeSeconds')} s`],
  ])
}

const list: CommandRow = defineCommand({
  name: 'list',
  summary: 'Lists the registered classes.',
  examples: ['assay class list'],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = await client.call('GET', '/v1/classes')
    const columns = ['name', 'audiences', 'scopes', 'hosts'].map(title => ({
      title,
      cell: (row: ShownRecord) => cellOf(row, title),
    }))
    const nothing = 'No class is registered yet: no agent can be created.'
    return { json: answer, lines: renderTable(recordsOf(answer, 'classes'), columns, nothing) }
  },
})

const revoke = revokeCommand({
  noun: 'class',
  args: '<name>',
  summary: 'Revokes a class with every agent of it; none of it is created again.',
  example: "assay class revoke coder --reason 'prompt injection'",
  target: (name = '') => ({ kind: 'class', name }),
})

/** `assay class` */
export const classCommands: CommandGroup = {
  name: 'class',
  summary: 'Classes of agents: what an operator allows a kind of agent.',
  commands: [register, list, revoke],
}
