import { readFileSync } from 'node:fs'

/** How many policies the service of the bench has in force. */
export const policyCount = 1_000

const starter = readFileSync(
  new URL('../../ca/authorization-starter.cedar', import.meta.url),
  'utf8',
)

/** Policies that each request is held against, whoever asks: they read time, risk, labels and address. */
const general: readonly string[] = [
  'when { context.time.toTime() < duration("0s") }',
  'when { principal.riskScore > 90 }',
  'when { principal is Agent && principal.host.labels.contains("quarantine") }',
  'when { principal is Agent && principal.class.sensitivity == "restricted" && principal.host.assurance == "emulated" }',
  'when { context has sourceAddress && context.sourceAddress.isInRange(ip("192.0.2.0/24")) }',
]

/**
 * A set as an organization with many classes has it: a few policies on everybody, one of which reads the time, and for each
 * class its own. One class is the bench's, the others are somebody else's.
 *
 * @param className of the agents that ask
 */
export function benchPolicies(className: string): string {
  const forbids = general.map(
    (condition, n) => `@id("general-${n}") forbid (principal, action, resource) ${condition};`,
  )
  const own = `@id("own") @maxLifetimeSeconds("300") permit (principal in AgentClass::"${className}", action == Action::"issueToken", resource) when { principal.host.status == "affirming" };`
  const starterCount = starter.match(/^@id\(/gm)?.length ?? 0
  const rest = policyCount - starterCount - forbids.length - 1
  const others = Array.from(
    { length: rest },
    (_, n) =>
      `@id("class-${n}") permit (principal in AgentClass::"class-${n}", action == Action::"issueToken", resource == Audience::"https://api-${n}.example/") when { principal.host.riskScore < 50 };`,
  )
  return [starter, ...forbids, own, ...others].join('\n')
}
