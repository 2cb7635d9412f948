import { Option } from 'commander'
import { ruleTable } from '../core/appraisal/rule-table.ts'
import { defineCommand, type CommandGroup, type CommandRow } from './command.ts'
import { CommandError } from './command-error.ts'
import { connectOperator, type ConnectedOperator } from './operator-client.ts'
import { signActivation } from './policy-activation.ts'
import { explainCommand } from './policy-explain-command.ts'
import { recoverCommand } from './policy-recover-command.ts'
import {
  kindNamed,
  kindOfFile,
  kindOption,
  kindWords,
  type CheckedPolicy,
  type KindOptions,
  type PolicyCommandKind,
} from './policy-kind.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderTable, renderTime } from './table.ts'
import { valueOf, wholeNumber } from './usage-error.ts'

const fileDetails = [
  'A policy of appraisal is a file in YAML or JSON: which assurance levels may be admitted, which PCRs are quoted, reference values by name, and rules. What it does not name is not accepted.',
  `Rules are of these kinds: ${Object.keys(ruleTable).join(', ')}. ca/policy-example.yaml shows each of them.`,
  'Policies of authorization are a file in Cedar, its name ending in .cedar: who may have which certificate and token, and act as operator. What no policy permits is denied. ca/authorization.cedarschema says what they can speak of, ca/authorization-starter.cedar is what a service begins with.',
]

const check: CommandRow = defineCommand({
  name: 'check',
  args: '<file>',
  summary: 'Reads a policy file as the service will, without asking it.',
  details: fileDetails,
  examples: ['assay policy check production.yaml', 'assay policy check production.cedar'],
  run: async ({ args: [file = ''] }) => {
    const policy = await kindOfFile(file).load(file)
    return {
      json: { id: policy.id, document: policy.document },
      lines: [
        policy.isEmpty
          ? 'The policy is well formed. It says nothing, so it admits nobody.'
          : 'The policy is well formed.',
        ...policy.facts,
      ],
    }
  },
})

const propose: CommandRow = defineCommand({
  name: 'propose',
  args: '<file>',
  summary: 'Keeps a policy at the service as a new version; it decides nothing yet.',
  details: fileDetails,
  examples: ['assay policy propose production.yaml', 'assay policy propose production.cedar'],
  run: async ({ session, args: [file = ''] }) => {
    const kind = kindOfFile(file)
    const policy = await kind.load(file)
    const { client } = await connectOperator(session)
    const kept = recordOf(await client.call('POST', kind.path, policy.body))
    requireSame(policy, cellOf(kept, 'id'))
    const version = cellOf(kept, 'version')
    return {
      json: kept,
      lines: [
        `The policy is version ${version}. It is not in force.`,
        ...policy.facts,
        '',
        `Try it on what is kept: assay policy simulate ${version}${kindWords(kind)}`,
        `Put it into force:      assay policy activate ${version}${kindWords(kind)} --file ${file}`,
      ],
    }
  },
})

const simulate: CommandRow = defineCommand<KindOptions>({
  name: 'simulate',
  args: '<version>',
  summary: 'Says who would be judged otherwise under a version, and why. Changes nothing.',
  details: [
    'A policy of appraisal is tried on the kept Evidence of every active host; policies of authorization on what every active host and agent may have, and on the decisions in the log.',
  ],
  examples: ['assay policy simulate 2', 'assay policy simulate 2 --kind authorization'],
  options: [kindOption()],
  run: async ({ session, args: [version = ''], options }) => {
    const kind = kindNamed(options.kind)
    const { client } = await connectOperator(session)
    const answer = recordOf(await client.call('POST', `${pathOf(kind, version)}/simulate`))
    return { json: answer, lines: kind.simulation(answer) }
  },
})

const activate: CommandRow = defineCommand<KindOptions & { readonly file?: string }>({
  name: 'activate',
  args: '<version>',
  summary: 'Puts a version into force, signed with the key of this operator.',
  details: [
    'The signature covers the digest that this command computes from the policy itself, and the version that it replaces; it stands in the audit log for good.',
  ],
  examples: [
    'assay policy activate 2 --file production.yaml',
    'assay policy activate 2 --kind authorization --file production.cedar',
  ],
  options: [
    kindOption(),
    new Option('--file <file>', 'refuse unless the version is exactly this policy'),
  ],
  run: async ({ session, args: [version = ''], options }) => {
    const kind = kindNamed(options.kind)
    const operator = await connectOperator(session)
    const { client } = operator
    const policy = await readVersion(operator, kind, version)
    if (options.file !== undefined) requireSame(policy, (await kind.load(options.file)).id)
    const before = recordOf(await client.call('GET', kind.path))
    const replaces = Number(before['active'])
    const claims = { policy: policy.id, version: Number(version), replaces }
    const jws = await signActivation(operator, claims, kind.activationType)
    const path = `${pathOf(kind, version)}/activate`
    const activation = recordOf(await client.call('POST', path, { jws }))
    return {
      json: activation,
      lines: [
        `Version ${version} is in force; version ${replaces} is not any more.`,
        ...policy.facts,
      ],
    }
  },
})

const show: CommandRow = defineCommand<KindOptions>({
  name: 'show',
  args: '[version]',
  summary: 'Prints a version of the policy; the one in force where none is named.',
  examples: ['assay policy show', 'assay policy show 2 --kind authorization > production.cedar'],
  options: [kindOption()],
  run: async ({ session, args: [named], options }) => {
    const kind = kindNamed(options.kind)
    const { client } = await connectOperator(session)
    const version = named ?? cellOf(recordOf(await client.call('GET', kind.path)), 'active')
    const answer = recordOf(await client.call('GET', pathOf(kind, version)))
    return { json: answer, lines: kind.textOf(answer).trimEnd().split('\n') }
  },
})

const list: CommandRow = defineCommand<KindOptions>({
  name: 'list',
  summary: 'Lists the versions of the policy, and which is in force.',
  examples: ['assay policy list', 'assay policy list --kind authorization'],
  options: [kindOption()],
  run: async ({ session, options }) => {
    const kind = kindNamed(options.kind)
    const { client } = await connectOperator(session)
    const answer = recordOf(await client.call('GET', kind.path))
    const active = answer['active']
    const columns = [
      { title: 'version', cell: (row: ShownRecord) => cellOf(row, 'version') },
      { title: 'in force', cell: (row: ShownRecord) => (row['version'] === active ? 'yes' : '') },
      { title: 'name', cell: kind.nameOf },
      { title: 'proposed', cell: (row: ShownRecord) => renderTime(row['createdAt']) },
      { title: 'by', cell: (row: ShownRecord) => cellOf(row, 'createdBy') },
      { title: 'digest', cell: (row: ShownRecord) => cellOf(row, 'id') },
    ]
    return { json: answer, lines: renderTable(recordsOf(answer, 'policies'), columns, 'None.') }
  },
})

/** A version as the service keeps it, checked here: what is signed is what was read. */
async function readVersion(
  { client }: ConnectedOperator,
  kind: PolicyCommandKind,
  version: string,
): Promise<CheckedPolicy> {
  const answer = recordOf(await client.call('GET', pathOf(kind, version)))
  const policy = await kind.read(answer)
  requireSame(policy, cellOf(answer, 'id'))
  return policy
}

/** Throws CommandError `policy-differs` when a policy is not the one of this digest. */
function requireSame(policy: CheckedPolicy, id: string): void {
  if (policy.id !== id) throw new CommandError('policy-differs', { expected: policy.id, found: id })
}

/** Throws UsageError `usage-malformed` for what is no version. */
function pathOf({ path }: PolicyCommandKind, version: string): string {
  return `${path}/${valueOf(wholeNumber(1, 999_999_999))(version)}`
}

/** `assay policy` */
export const policyCommands: CommandGroup = {
  name: 'policy',
  summary: 'Policies in their versions: which evidence is good enough, and who may have what.',
  commands: [check, propose, simulate, activate, show, list, explainCommand, recoverCommand],
}
