import { readFile } from 'node:fs/promises'
import { LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'
import { AppraisalPolicy } from '../core/appraisal/appraisal-policy.ts'
import { policySchema } from '../http/policy-schema.ts'
import { CommandError } from './command-error.ts'

/**
 * Reads an Appraisal Policy from a file, YAML or JSON, and checks it as the service will.
 *
 * @throws CommandError `file-unreadable`, `policy-file`, naming the line; AppraisalError `policy-…`
 */
export async function loadPolicyFile(path: string): Promise<AppraisalPolicy> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new CommandError('file-unreadable', { expected: 'a policy', found: path, cause })
  }
  return parsePolicyText(text, path)
}

/**
 * As {@link loadPolicyFile}, of text.
 *
 * @param name the file's name, for messages
 */
export function parsePolicyText(text: string, name: string): AppraisalPolicy {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const [syntax] = document.errors
  if (syntax !== undefined) {
    const { line } = lines.linePos(syntax.pos[0])
    throw new CommandError('policy-file', { found: `${name}:${line}: ${syntax.code}` })
  }
  return preparePolicy(document.toJS(), issue => `${name}${lineOf(document, lines, issue.path)}`)
}

/**
 * A policy as the service gave it, read as strictly as one that is sent to it.
 *
 * @throws CommandError `policy-file`; AppraisalError `policy-…`
 */
export function preparePolicy(
  value: unknown,
  placeOf: (issue: z.core.$ZodIssue) => string = () => 'the policy',
): AppraisalPolicy {
  const result = policySchema.safeParse(value)
  if (result.success) return AppraisalPolicy.prepare(result.data, 0)
  const [issue] = result.error.issues
  const found =
    issue === undefined
      ? 'unreadable'
      : `${placeOf(issue)}: ${issue.path.join('.') || 'the document'}: ${issue.message}`
  throw new CommandError('policy-file', { found })
}

/** The line of the innermost member that there is, as `:12`. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): string {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true)
    const range = (node as { range?: readonly [number, number, number] } | undefined)?.range
    if (range !== undefined) return `:${lines.linePos(range[0]).line}`
  }
  return ''
}
