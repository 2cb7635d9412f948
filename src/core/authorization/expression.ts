import type { Expr } from '@cedar-policy/cedar-wasm/nodejs'

/** One node of an expression of a policy, in the form of Cedar's JSON. */
export interface ExpressionNode {
  /** `Value`, `Var`, `&&`, `.`, `has`, the name of an extension function … */
  readonly operator: string
  readonly operands: readonly Expr[]
  /** What is not an operand: a literal, the name of a variable, of an attribute. */
  readonly literal: unknown
}

type Members = Readonly<Record<string, unknown>>

const leaves = new Set(['Value', 'Var', 'Slot'])

/**
 * Takes an expression apart.
 *
 * @see Cedar 4.5 §JSON policy format
 */
export function nodeOf(expression: Expr): ExpressionNode {
  const [[operator, body] = ['', undefined]] = Object.entries(expression)
  if (leaves.has(operator)) return { operator, operands: [], literal: body }
  if (Array.isArray(body)) return { operator, operands: body as Expr[], literal: undefined }
  const members = body as Members
  if (operator === 'Record')
    return { operator, operands: Object.values(members) as Expr[], literal: undefined }
  const { attr, pattern, entity_type: type, ...operands } = members
  return { operator, operands: Object.values(operands) as Expr[], literal: attr ?? pattern ?? type }
}

/** The attribute names of a `.` or `has`, outermost last. */
export function attributesOf({ literal }: ExpressionNode): readonly string[] {
  return Array.isArray(literal) ? (literal as string[]) : [literal as string]
}

/** A chain of attributes from a variable, as `principal.host.name`; undefined for anything else. */
export function pathOf(expression: Expr): string | undefined {
  const node = nodeOf(expression)
  if (node.operator === 'Var') return String(node.literal)
  const [left] = node.operands
  if (node.operator !== '.' || left === undefined) return undefined
  const base = pathOf(left)
  return base === undefined ? undefined : `${base}.${attributesOf(node)[0]}`
}

/** Every node, outermost first. */
export function* nodesOf(expression: Expr): Generator<ExpressionNode> {
  const node = nodeOf(expression)
  yield node
  for (const operand of node.operands) yield* nodesOf(operand)
}

/** How many levels an expression has, as far as `limit`. */
export function depthOf(expression: Expr, limit: number): number {
  if (limit === 0) return 0
  const depths = nodeOf(expression).operands.map(operand => depthOf(operand, limit - 1))
  return 1 + Math.max(0, ...depths)
}
