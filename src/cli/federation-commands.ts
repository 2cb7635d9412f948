import { Option } from 'commander'
import { readFile } from 'node:fs/promises'
import { bundleProfiles, type BundleProfile } from '../core/spiffe/bundle-endpoint.ts'
import { CommandError } from './command-error.ts'
import { defineCommand, type CommandAnswer, type CommandGroup, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderFacts, renderTable, renderTime } from './table.ts'
import { someText, valueOf } from './usage-error.ts'

interface AddOptions {
  readonly profile: BundleProfile
  readonly endpointId?: string
  readonly bundle?: string
}

const add: CommandRow = defineCommand<AddOptions>({
  name: 'add',
  args: '<trust-domain> <url>',
  summary: 'Begins to follow the trust bundle of another trust domain at its bundle endpoint.',
  details: [
    'https_web believes the endpoint by its name and a public certificate. https_spiffe believes it by its SPIFFE ID under the bundle that is kept, and takes the first bundle from a file that you have over another channel; it needs none where the SPIFFE ID is of another trust domain that is followed already.',
    'Whoever controls these parameters decides who is believed to be of that trust domain: take them from whoever runs it, not from the network. The host must stand under federation.hosts of the configuration.',
    'The relationship is one-way: the other side follows this trust domain at /v1/bundle of this service, with profile https_spiffe and the SPIFFE ID spiffe://TRUST-DOMAIN/service/assay.',
  ],
  examples: [
    'assay federation add partner.example https://spire.partner.example:8443/ --profile https_spiffe --endpoint-id spiffe://partner.example/spire/server --bundle partner.json',
    'assay federation add partner.example https://partner.example/bundle.json --profile https_web',
  ],
  options: [
    new Option('--profile <profile>', 'how the endpoint shows who it is')
      .choices([...bundleProfiles])
      .makeOptionMandatory(),
    new Option('--endpoint-id <spiffe-id>', 'SPIFFE ID of the endpoint (https_spiffe)'),
    new Option('--bundle <file>', 'the bundle to begin with, as that trust domain published it'),
  ],
  run: async ({ session, args: [trustDomain = '', url = ''], options }) => {
    const { profile, endpointId, bundle } = options
    const text = bundle === undefined ? {} : { bundle: await readBundle(bundle) }
    const id = endpointId === undefined ? {} : { endpointId }
    const { client } = await connectOperator(session)
    const body = { trustDomain, url, profile, ...id, ...text }
    const added = recordOf(await client.call('POST', '/v1/federations', body))
    return {
      json: added,
      lines: [
        'The trust domain is followed from now on.',
        ...renderFederation(added),
        '',
        `Next: assay federation refresh ${trustDomain}`,
      ],
    }
  },
})

async function readBundle(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new CommandError('file-unreadable', { found: path, cause })
  }
}

const list: CommandRow = defineCommand({
  name: 'list',
  summary: 'Lists the trust domains that are followed, and how that went last.',
  examples: ['assay federation list'],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = await client.call('GET', '/v1/federations')
    const columns = [
      { title: 'trust domain', cell: (row: ShownRecord) => cellOf(row, 'trustDomain') },
      { title: 'profile', cell: (row: ShownRecord) => cellOf(row, 'profile') },
      { title: 'bundle', cell: (row: ShownRecord) => sequenceOf(row) ?? '' },
      { title: 'kept', cell: (row: ShownRecord) => renderTime(row['bundleKeptAt']) },
      { title: 'failure', cell: (row: ShownRecord) => cellOf(row, 'failure') },
    ]
    const nothing = 'No other trust domain is followed. See assay federation add --help.'
    return { json: answer, lines: renderTable(recordsOf(answer, 'federations'), columns, nothing) }
  },
})

const show: CommandRow = defineCommand({
  name: 'show',
  args: '<trust-domain>',
  summary: 'Shows one trust domain that is followed, and what is in its bundle.',
  examples: ['assay federation show partner.example'],
  run: async ({ session, args: [trustDomain = ''] }) => {
    const { client } = await connectOperator(session)
    const shown = recordOf(await client.call('GET', pathOf(trustDomain)))
    return { json: shown, lines: renderFederation(shown) }
  },
})

const refresh: CommandRow = defineCommand({
  name: 'refresh',
  args: '<trust-domain>',
  summary: 'Fetches the bundle of a trust domain now, without waiting for its hint.',
  examples: ['assay federation refresh partner.example'],
  run: async ({ session, args: [trustDomain = ''] }): Promise<CommandAnswer> => {
    const { client } = await connectOperator(session)
    const answer = recordOf(await client.call('POST', `${pathOf(trustDomain)}/refresh`))
    const sentence = answer['isNew'] === true ? 'The bundle is new.' : 'The bundle is the same.'
    return { json: answer, lines: [sentence, ...renderFederation(answer)] }
  },
})

const remove: CommandRow = defineCommand<{ readonly reason: string }>({
  name: 'remove',
  args: '<trust-domain>',
  summary: 'Ends the following of a trust domain: its bundle is gone, and it is believed no more.',
  examples: ["assay federation remove partner.example --reason 'contract ended'"],
  options: [
    new Option('--reason <text>', 'for the audit log')
      .argParser(valueOf(someText))
      .makeOptionMandatory(),
  ],
  run: async ({ session, args: [trustDomain = ''], options: { reason } }) => {
    const { client } = await connectOperator(session)
    const answer = await client.call('POST', `${pathOf(trustDomain)}/remove`, { reason })
    return { json: answer, lines: ['The trust domain is followed no more.'] }
  },
})

/** `assay federation` */
export const federationCommands: CommandGroup = {
  name: 'federation',
  summary: 'Other trust domains, whose bundles are followed.',
  commands: [add, list, show, refresh, remove],
}

function pathOf(trustDomain: string): string {
  return `/v1/federations/${encodeURIComponent(trustDomain)}`
}

function sequenceOf(row: ShownRecord): string | undefined {
  return row['bundleSha256'] === null ? undefined : cellOf(row, 'bundleSequence')
}

function renderFederation(row: ShownRecord): string[] {
  const authorities = row['authorities'] === null ? undefined : recordOf(row['authorities'])
  const failure =
    row['failure'] === null
      ? undefined
      : `${cellOf(row, 'failure')} since ${renderTime(row['failedAt'])}`
  return renderFacts([
    ['trust domain', cellOf(row, 'trustDomain')],
    ['endpoint', cellOf(row, 'url')],
    ['profile', cellOf(row, 'profile')],
    ['endpoint id', row['endpointId'] === null ? undefined : cellOf(row, 'endpointId')],
    ['bundle', sequenceOf(row)],
    [
      'authorities',
      authorities &&
        ['x509', 'jwt', 'wit'].map(name => `${name} ${cellOf(authorities, name)}`).join(', '),
    ],
    ['kept', row['bundleKeptAt'] === null ? undefined : renderTime(row['bundleKeptAt'])],
    ['failure', failure],
  ])
}
