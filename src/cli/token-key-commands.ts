import { Option } from 'commander'
import { defineCommand, type CommandAnswer, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderFacts, renderTable, renderTime } from './table.ts'
import { someText, valueOf } from './usage-error.ts'

/** Keys are named by a thumbprint; what people type is its beginning. */
const kidShown = 12

const reasonOption = (): Option =>
  new Option('--reason <text>', 'for the audit log').argParser(valueOf(someText))

/** `assay key list` */
export const listTokenKeysCommand: CommandRow = defineCommand({
  name: 'list',
  summary: 'Lists the keys that sign tokens, with their states and times.',
  details: [
    'A key is announced in the key set (/oauth/jwks) before it signs, so that every relying party has it by then; retiring until the last token that it signed is over; and then over. Retired is one that an operator took out.',
  ],
  examples: ['assay key list'],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = recordOf(await client.call('GET', '/v1/token-keys'))
    const columns = [
      { title: 'kid', cell: (row: ShownRecord) => cellOf(row, 'kid').slice(0, kidShown) },
      { title: 'state', cell: (row: ShownRecord) => cellOf(row, 'state') },
      { title: 'algorithm', cell: (row: ShownRecord) => cellOf(row, 'algorithm') },
      { title: 'place', cell: (row: ShownRecord) => cellOf(row, 'place') },
      { title: 'signs from', cell: (row: ShownRecord) => renderTime(row['signsFrom']) },
      { title: 'published until', cell: untilOf },
    ]
    return { json: answer, lines: renderTable(recordsOf(answer, 'keys'), columns, 'No key.') }
  },
})

/** `assay key rotate` */
export const rotateTokenKeyCommand: CommandRow = defineCommand<{
  readonly force?: true
  readonly reason?: string
}>({
  name: 'rotate',
  summary: 'Makes the next key that signs tokens.',
  details: [
    'It is made where keys.token of the configuration says: on the disk, or in that PKCS#11 token. It is published at once and signs later, when every copy of the key set has it; with --force and a reason at once, and so does a key that was announced before.',
  ],
  examples: ['assay key rotate', "assay key rotate --force --reason 'the old one is to go today'"],
  options: [new Option('--force', 'sign with it at once; takes --reason'), reasonOption()],
  run: async ({ session, options: { force, reason } }) => {
    const { client } = await connectOperator(session)
    const body = { force: force === true, ...(reason === undefined ? {} : { reason }) }
    return changed('The next key is made.', await client.call('POST', '/v1/token-keys', body))
  },
})

interface RetireOptions {
  readonly reason: string
  readonly embeddedSuccessor?: true
}

/** `assay key retire` */
export const retireTokenKeyCommand: CommandRow = defineCommand<RetireOptions>({
  name: 'retire',
  args: '<kid>',
  summary: 'Takes a key out at once: no token that it signed is accepted any more.',
  details: [
    'For a key that leaked. Where it is the one that signs, the announced key follows it, or a new one. Whoever has a token asks for another; relying parties that verify by themselves go by their copy of the key set until it is too old.',
    'Where the next key would be made in a token that is away, nothing is done (signer-down); --embedded-successor makes that one on the service’s disk instead, and `assay key rotate` brings the next into the token again.',
  ],
  examples: ["assay key retire 5J6K9uX0b1qe --reason 'found in a backup'"],
  options: [
    reasonOption().makeOptionMandatory(),
    new Option('--embedded-successor', 'make the key that follows on the service’s disk'),
  ],
  run: async ({ session, args: [start = ''], options: { reason, embeddedSuccessor } }) => {
    const { client } = await connectOperator(session)
    const kid = await wholeKid(client, start)
    const answer = await client.call('POST', `/v1/token-keys/${kid}/retire`, {
      reason,
      ...(embeddedSuccessor === true ? { successor: 'embedded' } : {}),
    })
    return changed('The key is out.', answer)
  },
})

type Caller = Awaited<ReturnType<typeof connectOperator>>['client']

/** The one key whose kid begins so; what is ambiguous or unknown is left for the service to refuse. */
async function wholeKid(client: Caller, start: string): Promise<string> {
  const keys = recordsOf(await client.call('GET', '/v1/token-keys'), 'keys')
  const matching = keys.map(row => cellOf(row, 'kid')).filter(kid => kid.startsWith(start))
  const [only] = matching
  return matching.length === 1 && only !== undefined && start !== '' ? only : start
}

function changed(sentence: string, answer: unknown): CommandAnswer {
  const key = recordOf(answer)
  const facts = renderFacts([
    ['kid', cellOf(key, 'kid').slice(0, kidShown)],
    ['state', cellOf(key, 'state')],
    ['signs from', renderTime(key['signsFrom'])],
  ])
  return { json: key, lines: [sentence, ...facts] }
}

function untilOf(row: ShownRecord): string {
  const { withdrawnAt, publishedUntil } = row
  return renderTime(withdrawnAt ?? publishedUntil)
}
