import { Option } from 'commander'
import type { AppraisalPolicy } from '../core/appraisal/appraisal-policy.ts'
import { activationType, authorizationActivationType } from '../core/appraisal/policy-activation.ts'
import type { AuthorizationPolicySet } from '../core/authorization/policy-set.ts'
import { authorizationSimulationLines } from './authorization-simulation.ts'
import { loadPolicyFile, preparePolicy } from './policy-file.ts'
import { simulationLines } from './policy-simulation.ts'
import { cellOf, recordOf, type ShownRecord } from './records.ts'
import { renderFacts } from './table.ts'

/** A policy that was read and checked here, of either kind. */
export interface CheckedPolicy {
  /** Digest, computed here. */
  readonly id: string
  readonly isEmpty: boolean
  /** What is sent to propose it. */
  readonly body: unknown
  readonly document: unknown
  readonly facts: readonly string[]
}

/** How the commands of `assay policy` treat one kind. */
export interface PolicyCommandKind {
  readonly word: 'appraisal' | 'authorization'
  readonly path: string
  readonly activationType: string
  /** Reads a file as the service will. */
  readonly load: (file: string) => Promise<CheckedPolicy>
  /** Reads the record of a version, as strictly. */
  readonly read: (answer: ShownRecord) => Promise<CheckedPolicy>
  readonly simulation: (answer: ShownRecord) => string[]
  readonly nameOf: (row: ShownRecord) => string
  readonly textOf: (answer: ShownRecord) => string
}

const appraisal: PolicyCommandKind = {
  word: 'appraisal',
  path: '/v1/policies',
  activationType,
  load: async file => checkedPolicy(await loadPolicyFile(file)),
  read: answer => Promise.resolve(checkedPolicy(preparePolicy(answer['document']))),
  simulation: simulationLines,
  nameOf: row => cellOf(recordOf(row['document']), 'name'),
  textOf: answer => JSON.stringify(answer['document'], undefined, 2),
}

// The policy engine is megabytes of WebAssembly, loaded by what is about it alone.
const authorization: PolicyCommandKind = {
  word: 'authorization',
  path: '/v1/authorization/policies',
  activationType: authorizationActivationType,
  load: async file => {
    const { loadPolicySetFile } = await import('./policy-set-file.ts')
    return checkedSet(await loadPolicySetFile(file))
  },
  read: async answer => {
    const { loadSchema, readPolicySet } = await import('./policy-set-file.ts')
    return checkedSet(readPolicySet(cellOf(answer, 'document'), await loadSchema()))
  },
  simulation: authorizationSimulationLines,
  nameOf: row => {
    const policies = cellOf(row, 'document').match(/^\s*@id\(/gm)?.length ?? 0
    return `${policies} policies`
  },
  textOf: answer => cellOf(answer, 'document'),
}

/** `--kind`, of commands that take a version. */
export function kindOption(): Option {
  return new Option('--kind <kind>', 'of the appraisal of evidence, or of who may have what')
    .choices(['appraisal', 'authorization'])
    .default('appraisal')
}

export interface KindOptions {
  readonly kind: PolicyCommandKind['word']
}

export function kindNamed(word: PolicyCommandKind['word']): PolicyCommandKind {
  return word === 'authorization' ? authorization : appraisal
}

/** A file of Cedar is of authorization, another one of appraisal. */
export function kindOfFile(file: string): PolicyCommandKind {
  return file.endsWith('.cedar') ? authorization : appraisal
}

/** What is added to a command line for a version of this kind. */
export function kindWords({ word }: PolicyCommandKind): string {
  return word === 'authorization' ? ' --kind authorization' : ''
}

function checkedPolicy(policy: AppraisalPolicy): CheckedPolicy {
  const { id, document, isEmpty } = policy
  const facts = renderFacts([
    ['name', document.name],
    ['digest', id],
    ['assurance', document.assurance.join(', ') || 'none'],
    ['PCRs', document.pcrs.sha256.join(', ')],
    ['holds for', `${document.validitySeconds} s`],
    ['rules', document.rules.map(rule => rule.id).join(', ') || 'none'],
  ])
  return { id, isEmpty, body: document, document, facts }
}

function checkedSet({ id, text, policies }: AuthorizationPolicySet): CheckedPolicy {
  const named = (effect: string): string =>
    policies.flatMap(policy => (policy.effect === effect ? policy.id : [])).join(', ') || 'none'
  const notices = policies.flatMap(policy => policy.notices.map(notice => `${policy.id} ${notice}`))
  const requestable = policies.filter(policy => policy.requestable !== null)
  const facts = renderFacts([
    ['digest', id],
    ['permits', named('permit')],
    ['forbids', named('forbid')],
    ['requestable', requestable.map(requestableText).join(', ') || 'none'],
    ...notices.map(notice => ['notice', notice] as const),
  ])
  return { id, isEmpty: policies.length === 0, body: { policies: text }, document: text, facts }
}

function requestableText({ id, requestable }: AuthorizationPolicySet['policies'][number]): string {
  const minutes = requestable?.minutes ?? null
  return minutes === null ? `${id} (once)` : `${id} (up to ${minutes} minutes)`
}
