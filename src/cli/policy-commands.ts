import { Option } from 'commander'
import type { AppraisalPolicy } from '../core/appraisal/appraisal-policy.ts'
import { ruleTable } from '../core/appraisal/rule-table.ts'
import { defineCommand, type CommandGroup, type CommandRow } from './command.ts'
import { CommandError } from './command-error.ts'
import { connectOperator, type ConnectedOperator } from './operator-client.ts'
import { signActivation } from './policy-activation.ts'
import { loadPolicyFile, preparePolicy } from './policy-file.ts'
import { simulationLines } from './policy-simulation.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderFacts, renderTable, renderTime } from './table.ts'
import { valueOf, wholeNumber } from './usage-error.ts'

const fileDetails = [
  'A policy is a file in YAML or JSON: which assurance levels may be admitted, which PCRs are quoted, reference values by name, and rules. What it does not name is not accepted.',
  `Rules are of these kinds: ${Object.keys(ruleTable).join(', ')}. ca/policy-example.yaml shows each of them.`,
]

const check: CommandRow = defineCommand({
  name: 'check',
  args: '<file>',
  summary: 'Reads a policy file as the service will, without asking it.',
  details: fileDetails,
  examples: ['assay policy check production.yaml'],
  run: async ({ args: [file = ''] }) => {
    const policy = await loadPolicyFile(file)
    return {
      json: { id: policy.id, document: policy.document },
      lines: [
        policy.isEmpty
          ? 'The policy is well formed. It says nothing, so it admits nobody.'
          : 'The policy is well formed.',
        ...factsOf(policy),
      ],
    }
  },
})

const propose: CommandRow = defineCommand({
  name: 'propose',
  args: '<file>',
  summary: 'Keeps a policy at the service as a new version; it decides nothing yet.',
  details: fileDetails,
  examples: ['assay policy propose production.yaml'],
  run: async ({ session, args: [file = ''] }) => {
    const policy = await loadPolicyFile(file)
    const { client } = await connectOperator(session)
    const kept = recordOf(await client.call('POST', '/v1/policies', policy.document))
    requireSame(policy, cellOf(kept, 'id'))
    const version = cellOf(kept, 'version')
    return {
      json: kept,
      lines: [
        `The policy is version ${version}. It is not in force.`,
        ...factsOf(policy),
        '',
        `Try it on what is kept: assay policy simulate ${version}`,
        `Put it into force:      assay policy activate ${version} --file ${file}`,
      ],
    }
  },
})

const simulate: CommandRow = defineCommand({
  name: 'simulate',
  args: '<version>',
  summary: 'Says which hosts would change status under a version, and why. Changes nothing.',
  examples: ['assay policy simulate 2'],
  run: async ({ session, args: [version = ''] }) => {
    const { client } = await connectOperator(session)
    const answer = recordOf(await client.call('POST', `${pathOf(version)}/simulate`))
    return { json: answer, lines: simulationLines(answer) }
  },
})

const activate: CommandRow = defineCommand<{ readonly file?: string }>({
  name: 'activate',
  args: '<version>',
  summary: 'Puts a version into force, signed with the key of this operator.',
  details: [
    'The signature covers the digest that this command computes from the policy itself, and the version that it replaces; it stands in the audit log for good.',
  ],
  examples: ['assay policy activate 2 --file production.yaml'],
  options: [new Option('--file <file>', 'refuse unless the version is exactly this policy')],
  run: async ({ session, args: [version = ''], options: { file } }) => {
    const operator = await connectOperator(session)
    const { client } = operator
    const policy = await readVersion(operator, version)
    if (file !== undefined) requireSame(policy, (await loadPolicyFile(file)).id)
    const before = recordOf(await client.call('GET', '/v1/policies'))
    const replaces = Number(before['active'])
    const claims = { policy: policy.id, version: Number(version), replaces }
    const jws = await signActivation(operator, claims)
    const activation = recordOf(await client.call('POST', `${pathOf(version)}/activate`, { jws }))
    return {
      json: activation,
      lines: [
        `Version ${version} is in force; version ${replaces} is not any more.`,
        ...factsOf(policy),
      ],
    }
  },
})

const show: CommandRow = defineCommand({
  name: 'show',
  args: '[version]',
  summary: 'Prints a version of the policy; the one in force where none is named.',
  examples: ['assay policy show', 'assay policy show 2 --json | jq .document'],
  run: async ({ session, args: [named] }) => {
    const { client } = await connectOperator(session)
    const version = named ?? cellOf(recordOf(await client.call('GET', '/v1/policies')), 'active')
    const answer = recordOf(await client.call('GET', pathOf(version)))
    return { json: answer, lines: JSON.stringify(answer['document'], undefined, 2).split('\n') }
  },
})

const list: CommandRow = defineCommand({
  name: 'list',
  summary: 'Lists the versions of the policy, and which is in force.',
  examples: ['assay policy list'],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = recordOf(await client.call('GET', '/v1/policies'))
    const active = answer['active']
    const columns = [
      { title: 'version', cell: (row: ShownRecord) => cellOf(row, 'version') },
      { title: 'in force', cell: (row: ShownRecord) => (row['version'] === active ? 'yes' : '') },
      { title: 'name', cell: (row: ShownRecord) => cellOf(recordOf(row['document']), 'name') },
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
  version: string,
): Promise<AppraisalPolicy> {
  const answer = recordOf(await client.call('GET', pathOf(version)))
  const policy = preparePolicy(answer['document'])
  requireSame(policy, cellOf(answer, 'id'))
  return policy
}

/** Throws CommandError `policy-differs` when a policy is not the one of this digest. */
function requireSame(policy: AppraisalPolicy, id: string): void {
  if (policy.id !== id) throw new CommandError('policy-differs', { expected: policy.id, found: id })
}

/** Throws UsageError `usage-malformed` for what is no version. */
function pathOf(version: string): string {
  return `/v1/policies/${valueOf(wholeNumber(1, 999_999_999))(version)}`
}

function factsOf({ id, document }: AppraisalPolicy): string[] {
  return renderFacts([
    ['name', document.name],
    ['digest', id],
    ['assurance', document.assurance.join(', ') || 'none'],
    ['PCRs', document.pcrs.sha256.join(', ')],
    ['holds for', `${document.validitySeconds} s`],
    ['rules', document.rules.map(rule => rule.id).join(', ') || 'none'],
  ])
}

/** `assay policy` */
export const policyCommands: CommandGroup = {
  name: 'policy',
  summary: 'The appraisal policy in its versions: which evidence is good enough.',
  commands: [check, propose, simulate, activate, show, list],
}
