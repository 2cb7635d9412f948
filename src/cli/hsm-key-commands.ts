import { readFile } from 'node:fs/promises'
import { Option } from 'commander'
import { defineCommand, type CommandGroup, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { parseKeyChoice } from './operator-key.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderFacts, renderTable, renderTime } from './table.ts'
import { openTokenKey } from './token-machine.ts'
import { UsageError } from './usage-error.ts'

const show: CommandRow = defineCommand<{ readonly pkcs11: string; readonly createKey?: boolean }>({
  name: 'show',
  summary:
    'Shows an attestation key and its token, at the machine that has it: the first half of the ceremony.',
  details: [
    'Asks no service. What it prints with --json is what register takes; carry it over and compare the thumbprint.',
  ],
  examples: [
    "assay hsm-key show --pkcs11 'pkcs11:token=fleet;object=attestation?module-path=…' --create-key --json > key.json",
  ],
  options: [
    new Option('--pkcs11 <uri>', 'the attestation key').makeOptionMandatory(),
    new Option('--create-key', 'make it in the token'),
  ],
  run: async ({ session, options: { pkcs11, createKey } }) => {
    const uri = parseKeyChoice(pkcs11)
    const key = await openTokenKey(session, uri, createKey === true)
    const { token } = await key.describe()
    return {
      json: { jwk: key.jwk, jkt: key.jkt, token },
      lines: renderFacts([
        ['thumbprint', key.jkt],
        ['manufacturer', token.manufacturer],
        ['model', token.model],
        ['serial', token.serial],
      ]),
    }
  },
})

const register: CommandRow = defineCommand<{ readonly name: string; readonly thumbprint: string }>({
  name: 'register',
  args: '<file>',
  summary:
    'Registers an attestation key: from then on what it states of keys in its token counts, as hsm-declared.',
  details: [
    'You vouch for the token, and for who has its PIN. The thumbprint is compared, as it was read at the machine.',
  ],
  examples: ['assay hsm-key register key.json --name vault-1 --thumbprint 5Jw0…'],
  options: [
    new Option('--name <name>', 'what to call it').makeOptionMandatory(),
    new Option('--thumbprint <jkt>', 'as the machine itself shows it').makeOptionMandatory(),
  ],
  run: async ({ session, args: [file = ''], options: { name, thumbprint } }) => {
    const { jwk, token, jkt } = await loadShownKey(file)
    if (jkt !== thumbprint)
      throw new UsageError('usage-contradiction', { expected: thumbprint, found: String(jkt) })
    const { client } = await connectOperator(session)
    const record = recordOf(await client.call('POST', '/v1/hsm-keys', { name, jwk, token }))
    if (record['jkt'] !== thumbprint)
      throw new UsageError('usage-contradiction', {
        expected: thumbprint,
        found: cellOf(record, 'jkt'),
      })
    return { json: record, lines: [`The attestation key ${cellOf(record, 'jkt')} is registered.`] }
  },
})

/** What `show --json` wrote. */
async function loadShownKey(path: string): Promise<Readonly<Record<string, unknown>>> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new UsageError('usage-malformed', { expected: 'what hsm-key show --json wrote', cause })
  }
  return recordOf(value)
}

const list: CommandRow = defineCommand({
  name: 'list',
  summary: 'Lists the attestation keys of HSMs.',
  examples: ['assay hsm-key list'],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = await client.call('GET', '/v1/hsm-keys')
    const columns = [
      { title: 'thumbprint', cell: (row: ShownRecord) => cellOf(row, 'jkt') },
      { title: 'name', cell: (row: ShownRecord) => cellOf(row, 'name') },
      { title: 'manufacturer', cell: (row: ShownRecord) => cellOf(row, 'manufacturer') },
      { title: 'status', cell: (row: ShownRecord) => cellOf(row, 'status') },
      { title: 'registered', cell: (row: ShownRecord) => renderTime(row['registeredAt']) },
    ]
    const nothing = 'No attestation key of an HSM is registered.'
    return { json: answer, lines: renderTable(recordsOf(answer, 'hsmKeys'), columns, nothing) }
  },
})

const retire: CommandRow = defineCommand<{ readonly reason: string }>({
  name: 'retire',
  args: '<thumbprint>',
  summary:
    'Takes an attestation key out of use; hosts that are in are revoked with assay host revoke.',
  examples: ['assay hsm-key retire 5Jw0… --reason shared-pin'],
  options: [new Option('--reason <text>', 'for the audit log').makeOptionMandatory()],
  run: async ({ session, args: [jkt = ''], options: { reason } }) => {
    const { client } = await connectOperator(session)
    const path = `/v1/hsm-keys/${encodeURIComponent(jkt)}/retire`
    const record = recordOf(await client.call('POST', path, { reason }))
    return { json: record, lines: [`The attestation key ${jkt} is retired.`] }
  },
})

/** `assay hsm-key` */
export const hsmKeyCommands: CommandGroup = {
  name: 'hsm-key',
  summary: 'Attestation keys of HSMs: what operators vouch for at the level hsm-declared.',
  commands: [show, register, list, retire],
}
