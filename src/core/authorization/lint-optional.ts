import type { Clause, Expr } from '@cedar-policy/cedar-wasm/nodejs'
import { attributesOf, nodeOf, pathOf } from './expression.ts'

/** Paths that are known to be there: `principal.host.secureBoot`. */
type Known = ReadonlySet<string>

const nothing: Known = new Set()

/**
 * The first attribute that may be absent and is read without a test before it; undefined where there is none. Tests count
 * as Cedar evaluates: left before right, the condition before its branch, one clause before the next.
 *
 * @param optional names of attributes that may be absent anywhere
 */
export function findUntestedAttribute(
  clauses: readonly Clause[],
  optional: ReadonlySet<string>,
): string | undefined {
  let known = nothing
  for (const { kind, body } of clauses) {
    const found = findUntested(body, known, optional)
    if (found !== undefined) return found
    // `unless` says that its body is false, which shows nothing.
    if (kind === 'when') known = new Set([...known, ...shownBy(body)])
  }
  return undefined
}

function findUntested(
  expression: Expr,
  known: Known,
  optional: ReadonlySet<string>,
): string | undefined {
  const { operator, operands } = nodeOf(expression)
  const [first, second, third] = operands
  if (operator === '.' || operator === 'has') {
    const untested = untestedIn(expression, known, optional)
    if (untested !== undefined) return untested
  }
  const within = (operand: Expr | undefined, more: Known): string | undefined =>
    operand && findUntested(operand, new Set([...known, ...more]), optional)
  if (operator === '&&' && first !== undefined)
    return within(first, nothing) ?? within(second, shownBy(first))
  if (operator === 'if-then-else' && first !== undefined)
    return within(first, nothing) ?? within(second, shownBy(first)) ?? within(third, nothing)
  for (const operand of operands) {
    const found = within(operand, nothing)
    if (found !== undefined) return found
  }
  return undefined
}

/** `has` of a chain tests each link itself. */
function untestedIn(
  expression: Expr,
  known: Known,
  optional: ReadonlySet<string>,
): string | undefined {
  const node = nodeOf(expression)
  const [attribute = ''] = attributesOf(node)
  if (node.operator === 'has' || !optional.has(attribute)) return undefined
  const path = pathOf(expression)
  return path !== undefined && known.has(path) ? undefined : (path ?? attribute)
}

/** What is there when an expression is true. */
function shownBy(expression: Expr): Known {
  const node = nodeOf(expression)
  const [left, right] = node.operands
  if (left === undefined) return nothing
  if (node.operator === 'has') return chainOf(pathOf(left), attributesOf(node))
  if (right === undefined) return nothing
  if (node.operator === '&&') return new Set([...shownBy(left), ...shownBy(right)])
  if (node.operator !== '||') return nothing
  const other = shownBy(right)
  return new Set([...shownBy(left)].filter(path => other.has(path)))
}

function chainOf(base: string | undefined, attributes: readonly string[]): Known {
  if (base === undefined) return nothing
  return new Set(attributes.map((_, index) => [base, ...attributes.slice(0, index + 1)].join('.')))
}
