import { Option } from 'commander'
import { defineCommand, type CommandAnswer, type CommandGroup, type CommandRow } from './command.ts'
import { ceremonyCommand } from './ceremony-command.ts'
import { refreshBundle } from './bundle-refresh.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderFacts, renderTable, renderTime } from './table.ts'
import { someText, valueOf } from './usage-error.ts'

/** Authorities are named by a digest; what people type is its beginning. */
const idShown = 16

const reasonOption = (): Option =>
  new Option('--reason <text>', 'for the audit log').argParser(valueOf(someText))

const prepare: CommandRow = defineCommand<{
  readonly underRoot?: true
  readonly standby?: true
  readonly reason?: string
}>({
  name: 'prepare',
  summary:
    'Makes the next authority: its root is in the trust bundle at once, it signs nothing yet.',
  details: [
    'With a root of its own, or with --under-root below the root of the authority that issues. Every host is to keep the new bundle before the authority is activated; see assay ca show.',
  ],
  examples: [
    'assay ca rotate prepare',
    'assay ca rotate prepare --under-root',
    'assay ca rotate prepare --standby',
  ],
  options: [
    new Option('--under-root', 'below the present root, whose key must be at hand'),
    new Option('--standby', 'its key in the token that keys.standby names, to take over'),
    reasonOption(),
  ],
  run: async ({ session, options: { underRoot, standby, reason } }) => {
    const operator = await connectOperator(session)
    const body = {
      kind: underRoot === true ? 'intermediate' : 'root',
      place: standby === true ? 'standby' : 'issuing',
      ...reasonOf(reason),
    }
    const prepared = await operator.client.call('POST', '/v1/authorities', body)
    await refreshBundle(session, operator, true)
    return changed('The authority is prepared.', prepared)
  },
})

const activate: CommandRow = defineCommand<{ readonly force?: true; readonly reason?: string }>({
  name: 'activate',
  args: '<id>',
  summary: 'Makes a prepared authority the one that issues; the one before it retires.',
  details: [
    'Refused while an active host does not keep the trust bundle with it. With --force and a reason it is done all the same: those hosts do not trust the service any more until they are enrolled anew.',
  ],
  examples: [
    'assay ca rotate activate 3f2a90c1',
    "assay ca rotate activate 3f2a90c1 --force --reason 'key of the old one is lost'",
  ],
  options: [new Option('--force', 'without waiting for the hosts; takes --reason'), reasonOption()],
  run: async ({ session, args: [id = ''], options: { force, reason } }) => {
    const operator = await connectOperator(session)
    const { client } = operator
    const path = `/v1/authorities/${await wholeId(client, id)}/activate`
    // The service stands under its root a moment later.
    await refreshBundle(session, operator, true)
    const body = { force: force === true, ...reasonOf(reason) }
    return changed('The authority issues from now on.', await client.call('POST', path, body))
  },
})

const verbs = {
  taint: {
    summary: 'Ends issuance under an authority; what it signed is trusted until it is renewed.',
    done: 'The authority is tainted; everything below it is to be renewed now.',
  },
  revoke: {
    summary: 'Takes an authority out of trust, with every certificate below it.',
    done: 'The authority is revoked.',
  },
} as const

const takeBack = (verb: keyof typeof verbs): CommandRow =>
  defineCommand<{ readonly reason: string }>({
    name: verb,
    args: '<id>',
    summary: verbs[verb].summary,
    examples: [`assay ca rotate ${verb} 3f2a90c1 --reason 'its key was on a stolen disk'`],
    options: [reasonOption().makeOptionMandatory()],
    run: async ({ session, args: [id = ''], options: { reason } }) => {
      const { client } = await connectOperator(session)
      const path = `/v1/authorities/${await wholeId(client, id)}/${verb}`
      return changed(verbs[verb].done, await client.call('POST', path, { reason }))
    },
  })

const destroyKey: CommandRow = defineCommand<{ readonly force?: true; readonly reason: string }>({
  name: 'destroy-key',
  args: '<id>',
  summary: 'Destroys the key of an authority that issues no more; nothing brings it back.',
  details: [
    'Refused while a certificate below it is in force: revocation lists of an authority are signed by itself. Where the token fails, the same command again finishes it.',
  ],
  examples: ["assay ca rotate destroy-key 3f2a90c1 --reason 'turned over a week ago'"],
  options: [
    new Option('--force', 'whatever is in force below it'),
    reasonOption().makeOptionMandatory(),
  ],
  run: async ({ session, args: [id = ''], options: { force, reason } }) => {
    const { client } = await connectOperator(session)
    const path = `/v1/authorities/${await wholeId(client, id)}/destroy-key`
    const answer = await client.call('POST', path, { force: force === true, reason })
    return changed('The key of the authority is destroyed.', answer)
  },
})

const rotateCommands: CommandGroup = {
  name: 'rotate',
  summary: 'The turnover from one authority to the next, step by step.',
  commands: [prepare, activate, takeBack('taint'), takeBack('revoke'), destroyKey],
}

const show: CommandRow = defineCommand({
  name: 'show',
  summary: 'Shows the authorities, and which hosts keep a trust bundle with each.',
  examples: ['assay ca show'],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = recordOf(await client.call('GET', '/v1/authorities'))
    const columns = [
      { title: 'id', cell: (row: ShownRecord) => cellOf(row, 'id').slice(0, idShown) },
      { title: 'state', cell: (row: ShownRecord) => cellOf(row, 'state') },
      { title: 'key in', cell: (row: ShownRecord) => keyOf(row) },
      { title: 'root', cell: (row: ShownRecord) => cellOf(row, 'rootId').slice(0, idShown) },
      { title: 'since', cell: (row: ShownRecord) => renderTime(row['changedAt']) },
      { title: 'bundle', cell: (row: ShownRecord) => cellOf(row, 'bundleSequence') },
      { title: 'known to', cell: (row: ShownRecord) => adoptionOf(row) },
    ]
    return {
      json: answer,
      lines: [
        `The trust bundle has the sequence ${cellOf(answer, 'bundleSequence')}.`,
        ...renderTable(recordsOf(answer, 'authorities'), columns, 'No authority.'),
        ...recordsOf(answer, 'authorities').flatMap(missingOf),
      ],
    }
  },
})

/** `assay ca` */
export const authorityCommands: CommandGroup = {
  name: 'ca',
  summary: 'The certificate authorities of the service.',
  commands: [show, ceremonyCommand, rotateCommands],
}

type Caller = Awaited<ReturnType<typeof connectOperator>>['client']

/** The one authority whose id begins so; what is ambiguous or unknown is left for the service to refuse. */
async function wholeId(client: Caller, start: string): Promise<string> {
  const authorities = recordsOf(await client.call('GET', '/v1/authorities'), 'authorities')
  const matching = authorities.map(row => cellOf(row, 'id')).filter(id => id.startsWith(start))
  const [only] = matching
  return matching.length === 1 && only !== undefined && start !== '' ? only : start
}

function reasonOf(reason: string | undefined): { reason?: string } {
  return reason === undefined ? {} : { reason }
}

function changed(sentence: string, answer: unknown): CommandAnswer {
  const authority = recordOf(answer)
  const facts = [
    ['id', cellOf(authority, 'id').slice(0, idShown)],
    ['state', cellOf(authority, 'state')],
    ['bundle', cellOf(authority, 'bundleSequence')],
    ...('certificates' in authority ? [['certificates', cellOf(authority, 'certificates')]] : []),
  ] as [string, string][]
  return { json: authority, lines: [sentence, ...renderFacts(facts)] }
}

function adoptionOf(row: ShownRecord): string {
  const { hosts, adopted } = recordOf(row['adoption'])
  return `${String(adopted)} of ${String(hosts)} active hosts`
}

function keyOf(row: ShownRecord): string {
  return row['keyDestroyedAt'] === null ? cellOf(row, 'keyPlace') : 'destroyed'
}

/** Only where somebody waits for it. */
function missingOf(row: ShownRecord): string[] {
  const { missing } = recordOf(row['adoption'])
  if (row['state'] !== 'prepared' || !Array.isArray(missing) || missing.length === 0) return []
  return [`${cellOf(row, 'id').slice(0, idShown)} is not known to: ${missing.join(', ')}`]
}
