import { CommanderError } from 'commander'
import { printable, RemoteError, type RemoteCheck } from '../attester/remote-error.ts'
import { CodedError, describe } from '../core/coded-error.ts'
import { explainVerdict } from '../core/appraisal/explain.ts'
import { UsageError } from './usage-error.ts'
import { parseVerdict } from './verdict.ts'

/** How a command ends: done; refused or failed; wrongly called. */
export const exitCodes = { done: 0, failed: 1, usage: 2 } as const

/** The exit code that belongs to what was thrown. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError)
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failed
}

/** An error that tells its code, wherever it comes from. */
interface Telling {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly text?: string
}

/**
 * What a person reads of a failure: code, facts, what to try, which rule; of refused evidence each check that ran.
 * A failure that has no code is a bug of ours, and says so.
 */
export function describeFailure(error: unknown): string[] {
  if (error instanceof RemoteError)
    return [
      ...describe(error),
      ...requestOf(error),
      ...instanceOf(error),
      ...checksOf(error),
      ...verdictOf(error),
    ]
  if (error instanceof CodedError) return describe(error).map(printable)
  if (isTelling(error)) return describeTelling(error)
  const message = error instanceof Error ? error.message : String(error)
  return [
    `internal-error: ${printable(message)}`,
    '  try:      Run it again with --verbose and report what it prints: this should not happen.',
  ]
}

/** The error of the TPM stack, which is a package of its own. */
function isTelling(error: unknown): error is Telling {
  if (!(error instanceof Error) || error.name !== 'Tpm2Error') return false
  const { code, hint } = error as Partial<Telling>
  return typeof code === 'string' && typeof hint === 'string'
}

function describeTelling({ code, message, hint = '', text = '' }: Telling): string[] {
  return [
    `${code}: ${printable(message)}`,
    ...(text === '' || message.includes(text) ? [] : [`  found:    ${printable(text)}`]),
    `  try:      ${printable(hint)}`,
  ]
}

function instanceOf({ instance }: RemoteError): string[] {
  return instance === undefined ? [] : [`  request:  ${instance}`]
}

/** Of a denial: the decision to be explained, and the grant request by which an operator can lift it. */
function requestOf({ document }: RemoteError): string[] {
  return decisionFacts(document).map(([name, value]) => `  ${`${name}:`.padEnd(9)} ${value}`)
}

/** RFC 9457 problems and OAuth errors each name a request in their own manner. */
function decisionFacts(document: RemoteError['document']): (readonly [string, string])[] {
  const { decision, grantRequest = document['grant_request'] } = document
  const facts = [
    ['decision', decision],
    ['grant', grantRequest],
  ] as const
  return facts.flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, printable(value.slice(0, 100))] as const] : [],
  )
}

/** The verdict on genuine evidence that the policy did not accept: which rule decided, and what it wanted. */
function verdictOf({ document }: RemoteError): string[] {
  const { attestationResult } = document
  if (attestationResult === undefined) return []
  try {
    return [
      '  verdict:',
      ...explainVerdict(parseVerdict(attestationResult)).map(line => `    ${line}`),
    ]
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return ['  verdict:', `    ${error.code}: ${error.message}`]
  }
}

function checksOf({ checks }: RemoteError): string[] {
  if (checks.length === 0) return []
  return ['  checks:', ...checks.flatMap(describeCheck)]
}

function describeCheck({ code, outcome, source, expected, found }: RemoteCheck): string[] {
  const rule = source === undefined ? '' : `  (${source})`
  const facts = [
    ...(expected === undefined ? [] : [`expected ${expected}`]),
    ...(found === undefined ? [] : [`found ${found}`]),
  ]
  const line = `    ${outcome === 'pass' ? 'passed' : 'FAILED'}  ${code}${rule}`
  return facts.length === 0 || outcome === 'pass'
    ? [line]
    : [line, `            ${facts.join(', ')}`]
}

/** The same for `--json`. */
export function failureDocument(error: unknown): object {
  if (error instanceof RemoteError)
    return { error: { ...factsOf(error), status: error.status, ...remoteFacts(error) } }
  if (error instanceof CodedError) return { error: factsOf(error) }
  if (error instanceof CommanderError) return { error: { code: 'usage', message: error.message } }
  if (isTelling(error)) {
    const { code, message, hint } = error
    return { error: { code, message, hint } }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { error: { code: 'internal-error', message } }
}

function factsOf({ code, message, expected, found, hint, source }: CodedError): object {
  return { code, message, expected, found, hint, source }
}

function remoteFacts({ instance, checks, document }: RemoteError): object {
  const { attestationResult } = document
  return {
    instance,
    ...Object.fromEntries(decisionFacts(document)),
    ...(checks.length === 0 ? {} : { checks }),
    ...(attestationResult === undefined ? {} : { attestationResult }),
  }
}
