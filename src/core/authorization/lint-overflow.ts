import type { Expr } from '@cedar-policy/cedar-wasm/nodejs'
import { nodeOf } from './expression.ts'

/** Least and greatest value that an expression can have. */
type Range = readonly [bigint, bigint]

/** Every number that the service gives to policies is a whole one of this range. */
const given: Range = [0n, BigInt(Number.MAX_SAFE_INTEGER)]
const long: Range = [-(2n ** 63n), 2n ** 63n - 1n]

const arithmetic = new Set(['+', '-', '*', 'neg'])

/**
 * Whether a calculation in an expression can leave the range of a Long, or a time the range of a datetime: Cedar then
 * fails, and skips the policy.
 *
 * @see Cedar 4.5 §Long, §datetime `offset`
 */
export function canOverflow(expression: Expr): boolean {
  const { operator, operands } = nodeOf(expression)
  if (operator === 'offset') return true
  if (arithmetic.has(operator) && rangeOf(expression) === undefined) return true
  return operands.some(canOverflow)
}

/** Undefined where it can be anything, or not be at all. */
function rangeOf(expression: Expr): Range | undefined {
  const { operator, operands, literal } = nodeOf(expression)
  if (operator === 'Value') return literalRange(literal)
  if (operator === '.') return given
  const ranges = (operator === 'if-then-else' ? operands.slice(1) : operands).map(rangeOf)
  const [left, right] = ranges
  if (left === undefined) return undefined
  if (operator === 'neg') return within([-left[1], -left[0]])
  if (right === undefined) return undefined
  return combine(operator, left, right)
}

function combine(operator: string, left: Range, right: Range): Range | undefined {
  switch (operator) {
    case 'if-then-else':
      return spanOf([...left, ...right])
    case '+':
      return within([left[0] + right[0], left[1] + right[1]])
    case '-':
      return within([left[0] - right[1], left[1] - right[0]])
    case '*':
      return within(spanOf(left.flatMap(one => right.map(other => one * other))))
    default:
      return undefined
  }
}

function literalRange(literal: unknown): Range | undefined {
  if (!Number.isSafeInteger(literal)) return undefined
  const value = BigInt(literal as number)
  return [value, value]
}

function spanOf(values: readonly bigint[]): Range {
  const sorted = values.toSorted((left, right) => (left < right ? -1 : 1))
  return [sorted[0] as bigint, sorted.at(-1) as bigint]
}

function within(range: Range): Range | undefined {
  return range[0] < long[0] || range[1] > long[1] ? undefined : range
}
