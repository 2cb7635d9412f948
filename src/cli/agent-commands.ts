import { Option } from 'commander'
import { defineCommand, type CommandAnswer, type CommandGroup, type CommandRow } from './command.ts'
import { attestationCommand, svidCommand } from './agent-identity-commands.ts'
import { connectAgent, findLocalAgent } from './agent-machine.ts'
import { grantCommand } from './agent-grant-command.ts'
import { tokenCommand } from './agent-token-command.ts'
import { refreshHostBundle } from './bundle-refresh.ts'
import { connectHost, tpmOptions, type TpmOptions } from './host-machine.ts'
import { agentTokenOptions, type AgentTokenOptions } from './token-machine.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordsOf, type ShownRecord } from './records.ts'
import { renderFacts, renderTable, renderTime } from './table.ts'
import { createRenewalProver } from './renewal-prover.ts'
import type { Session } from './session.ts'
import { revokeCommand } from './revoke-command.ts'

const create: CommandRow = defineCommand<
  TpmOptions & AgentTokenOptions & { readonly class: string }
>({
  name: 'create',
  summary:
    'Creates an agent on this machine: its key is made in the TPM or token of the host and proven.',
  examples: ['assay agent create --class coder'],
  options: [
    new Option('--class <name>', 'what kind of agent it is').makeOptionMandatory(),
    ...tpmOptions(),
    ...agentTokenOptions(),
  ],
  run: async ({ session, options }) => {
    const connected = await connectHost(session, options)
    await refreshHostBundle(session, connected, options)
    const { createAgent } = await import('../attester/agents.ts')
    const { home } = connected
    const agent = await createAgent({
      ...connected,
      className: options.class,
      progress: session.progress.step,
    })
    const { id, spiffeId, className, serial, notAfter, certificateChain } = agent
    const certificateFile = home.path(agent.certificateFile)
    return {
      json: { id, spiffeId, className, serial, notAfter, certificateChain, certificateFile },
      lines: [
        'The agent is created.',
        ...renderFacts([
          ['id', id],
          ['SPIFFE ID', spiffeId],
          ['certificate', certificateFile],
          ['valid until', renderTime(notAfter)],
        ]),
        '',
        `Next: assay agent token ${id}`,
      ],
    }
  },
})

const list: CommandRow = defineCommand<{ readonly local?: boolean }>({
  name: 'list',
  summary: 'Lists all agents of the service; with --local, those whose keys are on this machine.',
  examples: ['assay agent list', 'assay agent list --local'],
  options: [new Option('--local', 'ask nobody: the agents of this machine')],
  run: async ({ session, options }) =>
    options.local === true ? await listLocal(session) : await listAll(session),
})

async function listAll(session: Session): Promise<CommandAnswer> {
  const { client } = await connectOperator(session)
  const answer = await client.call('GET', '/v1/agents')
  const columns = [
    { title: 'id', cell: (row: ShownRecord) => cellOf(row, 'id') },
    { title: 'class', cell: (row: ShownRecord) => cellOf(row, 'className') },
    { title: 'host', cell: (row: ShownRecord) => cellOf(row, 'hostId') },
    { title: 'status', cell: (row: ShownRecord) => cellOf(row, 'status') },
    { title: 'created', cell: (row: ShownRecord) => renderTime(row['createdAt']) },
  ]
  const nothing = 'There is no agent yet. On a host: assay agent create --help.'
  return { json: answer, lines: renderTable(recordsOf(answer, 'agents'), columns, nothing) }
}

async function listLocal(session: Session): Promise<CommandAnswer> {
  const home = await session.openHome()
  const agents = await home.listAgents()
  const columns = [
    { title: 'id', cell: ({ id }: (typeof agents)[number]) => id },
    { title: 'class', cell: ({ className }: (typeof agents)[number]) => className },
    { title: 'SPIFFE ID', cell: ({ spiffeId }: (typeof agents)[number]) => spiffeId },
  ]
  return {
    json: { agents },
    lines: renderTable(agents, columns, `No agent was created in ${home.directory}.`),
  }
}

const renew: CommandRow = defineCommand<
  TpmOptions & AgentTokenOptions & { readonly rekey?: boolean }
>({
  name: 'renew',
  args: '[id]',
  summary: 'Renews the certificate of an agent of this machine; with --rekey, for a new key.',
  details: [
    'The hardware proves the key again, in the boot that the host attested: after a restart the host enrols first.',
    'The id may be left out where this machine has one agent.',
  ],
  examples: ['assay agent renew', 'assay agent renew 5Jw0… --rekey'],
  options: [
    new Option(
      '--rekey',
      'make a new key in the hardware and prove it; the old one is of no use after',
    ),
    ...tpmOptions(),
    ...agentTokenOptions(),
  ],
  run: async ({ session, args: [id], options }) => {
    const renewed =
      options.rekey === true
        ? await rekey(session, id, options)
        : await renewForSameKey(session, id, options)
    const { serial, notAfter, certificateFile } = renewed
    return {
      json: renewed,
      lines: [
        options.rekey === true ? 'The agent has a new key.' : 'The certificate is renewed.',
        ...renderFacts([
          ['id', renewed.id],
          ['serial', serial],
          ['valid until', renderTime(notAfter)],
          ['file', certificateFile],
        ]),
      ],
    }
  },
})

/** What a renewal answers. */
interface Renewed {
  readonly id: string
  readonly serial: string
  readonly notAfter: number
  readonly certificateFile: string
}

async function renewForSameKey(
  session: Session,
  id: string | undefined,
  options: TpmOptions,
): Promise<Renewed> {
  const { client, key, home, agent } = await connectAgent(session, id, options)
  const subject = { kind: 'agent', ...agent } as const
  const prove = await createRenewalProver(session, { client, key, home }, agent, options)
  const { renewCredential } = await import('../attester/renewal.ts')
  session.progress.step('proving the key, and asking for a certificate')
  const { serial, notAfter } = await renewCredential({ client, key, home, subject, prove })
  return { id: agent.id, serial, notAfter, certificateFile: home.path(agent.certificateFile) }
}

async function rekey(
  session: Session,
  id: string | undefined,
  options: TpmOptions & AgentTokenOptions,
): Promise<Renewed> {
  const { id: agentId } = await findLocalAgent(await session.openHome(), id)
  const connected = await connectHost(session, options)
  await refreshHostBundle(session, connected, options)
  const { rekeyAgent } = await import('../attester/agents.ts')
  const agent = await rekeyAgent({ ...connected, agentId, progress: session.progress.step })
  const certificateFile = connected.home.path(agent.certificateFile)
  return { id: agentId, serial: agent.serial, notAfter: agent.notAfter, certificateFile }
}

const revoke = revokeCommand({
  noun: 'agent',
  args: '<id>',
  summary: 'Revokes an agent with its certificates and tokens.',
  example: "assay agent revoke 5Jw0… --reason 'task finished'",
  target: (id = '') => ({ kind: 'agent', id }),
})

/** `assay agent` */
export const agentCommands: CommandGroup = {
  name: 'agent',
  summary: 'Agents: each with a key of its own in the TPM of its host.',
  commands: [
    create,
    list,
    tokenCommand,
    grantCommand,
    svidCommand,
    attestationCommand,
    renew,
    revoke,
  ],
}
