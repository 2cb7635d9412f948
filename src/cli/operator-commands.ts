import { Option } from 'commander'
import { readFile } from 'node:fs/promises'
import { parseFingerprint } from '../attester/pinned-tls.ts'
import { parsePublicJwk, thumbprint, type PublicJwk } from '../core/jose/jwk.ts'
import { CommandError } from './command-error.ts'
import { defineCommand, type CommandGroup, type CommandRow } from './command.ts'
import { keyOptions } from './init-command.ts'
import { pinLogKey } from './log-key.ts'
import { connectOperator } from './operator-client.ts'
import { parseKeyChoice, prepareOperatorKey, protectionNotes } from './operator-key.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderFacts, renderTable, renderTime } from './table.ts'
import { someText, UsageError, valueOf, valuesOf } from './usage-error.ts'
import { revokeCommand } from './revoke-command.ts'

interface RequestOptions {
  readonly fingerprint: string
  readonly name: string
  readonly key: string
  readonly createKey?: boolean
  readonly tcti?: string
}

const request: CommandRow = defineCommand<RequestOptions>({
  name: 'request',
  args: '<url>',
  summary: 'Makes a key on this machine and prints what an administrator registers it by.',
  details: [
    'What is printed is public. Send it to an administrator, who runs assay operator add with it; from then on this machine is the operator.',
  ],
  examples: [
    'assay operator request https://assay.example:8443 --fingerprint sha256:… --name bob --key tpm --json > bob.json',
  ],
  options: [
    new Option('--fingerprint <sha256:…>', 'of the service’s root, as its operator gave it')
      .makeOptionMandatory()
      .argParser(valueOf(parseFingerprint)),
    new Option('--name <name>', 'what to call the operator')
      .makeOptionMandatory()
      .argParser(valueOf(someText)),
    ...keyOptions(),
  ],
  run: async ({ session, args: [url = ''], options }) => {
    const { fingerprint, name } = options
    const choice = parseKeyChoice(options.key)
    const home = await session.openHome()
    const client = session.connect(url, { fingerprint })
    const service = { issuer: client.issuer, root: await client.root() }
    await home.saveService({ ...service, logKey: await pinLogKey(client, home) })
    const { key, reference } = await prepareOperatorKey(session, home, {
      choice,
      create: options.createKey === true,
      tcti: options.tcti ?? session.environment.tcti,
    })
    await home.saveOperator({ id: '', clientId: '', key: reference })
    const document = { name, keyProtection: key.protection, jwk: key.jwk }
    return {
      json: document,
      lines: [
        'The key is made. Give this to an administrator of the service, for assay operator add:',
        JSON.stringify(document),
        '',
        ...renderFacts([
          ['key', protectionNotes[key.protection]],
          ['thumbprint', key.jkt],
        ]),
      ],
    }
  },
})

interface AddOptions {
  readonly role: string
  readonly name?: string
  readonly protection?: string
  readonly audience?: readonly string[]
}

const add: CommandRow = defineCommand<AddOptions>({
  name: 'add',
  args: '<file>',
  summary: 'Registers the public key of an operator or relying party.',
  details: [
    'The file is what assay operator request --json printed, or a public JWK, for which --name and --protection are given here. Compare the thumbprint with its owner before you rely on it.',
  ],
  examples: [
    'assay operator add bob.json --role auditor',
    'assay operator add api.jwk --role resource-server --name tickets-api --protection file --audience https://api.example',
  ],
  options: [
    new Option('--role <role>', 'what the key may do')
      .choices(['administrator', 'auditor', 'resource-server'])
      .makeOptionMandatory(),
    new Option('--name <name>', 'what to call it, where the file does not say'),
    new Option(
      '--protection <where>',
      'where the key is kept, where the file does not say',
    ).choices(['file', 'pkcs11', 'tpm']),
    new Option(
      '--audience <url>',
      'for a resource-server: an API that it speaks for; it may ask about tokens for these alone (again for more)',
    ).argParser(valuesOf(someText)),
  ],
  run: async ({ session, args: [file = ''], options }) => {
    if (options.role === 'resource-server' && options.audience === undefined)
      throw new UsageError('usage-missing', { expected: '--audience for a resource-server' })
    const document = await loadDocument(file)
    const jwk = parseKey(document, file)
    const { client } = await connectOperator(session)
    const registered = recordOf(
      await client.call('POST', '/v1/operators', {
        name: options.name ?? document['name'] ?? '',
        role: options.role,
        keyProtection: options.protection ?? document['keyProtection'] ?? 'file',
        jwk,
        audiences: options.audience ?? [],
      }),
    )
    return {
      json: registered,
      lines: [
        'The operator is registered.',
        ...renderFacts([
          ['id', cellOf(registered, 'id')],
          ['name', cellOf(registered, 'name')],
          ['role', cellOf(registered, 'role')],
          ['audiences', cellOf(registered, 'audiences') || 'none'],
          ['key', cellOf(registered, 'keyProtection')],
          ['thumbprint', thumbprint(jwk)],
        ]),
      ],
    }
  },
})

async function loadDocument(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return recordOf(JSON.parse(await readFile(path, 'utf8')))
  } catch (cause) {
    throw new CommandError('file-unreadable', { expected: 'a JSON object', found: path, cause })
  }
}

function parseKey(document: Readonly<Record<string, unknown>>, path: string): PublicJwk {
  if (document['jwk'] === undefined && document['kty'] === undefined)
    throw new CommandError('file-unreadable', { expected: 'a public JWK', found: path })
  return parsePublicJwk(document['jwk'] ?? document)
}

const list: CommandRow = defineCommand({
  name: 'list',
  summary: 'Lists operators and relying parties, revoked ones too.',
  examples: ['assay operator list'],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = await client.call('GET', '/v1/operators')
    const columns = [
      { title: 'id', cell: (row: ShownRecord) => cellOf(row, 'id') },
      { title: 'name', cell: (row: ShownRecord) => cellOf(row, 'name') },
      { title: 'role', cell: (row: ShownRecord) => cellOf(row, 'role') },
      { title: 'key', cell: (row: ShownRecord) => cellOf(row, 'keyProtection') },
      { title: 'status', cell: (row: ShownRecord) => cellOf(row, 'status') },
      { title: 'since', cell: (row: ShownRecord) => renderTime(row['createdAt']) },
    ]
    return { json: answer, lines: renderTable(recordsOf(answer, 'operators'), columns, 'None.') }
  },
})

const revoke = revokeCommand({
  noun: 'operator',
  args: '<id>',
  summary: 'Takes an operator’s key out of use; its next call is refused.',
  example: "assay operator revoke 5Jw0… --reason 'left the team'",
  target: (id = '') => ({ kind: 'operator', id }),
})

/** `assay operator` */
export const operatorCommands: CommandGroup = {
  name: 'operator',
  summary: 'Operators and relying parties: whose keys the service knows.',
  commands: [request, add, list, revoke],
}
