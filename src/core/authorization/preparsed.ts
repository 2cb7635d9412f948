import { preparsePolicySet } from '@cedar-policy/cedar-wasm/nodejs'

/** Cedar keeps what it parsed by name and forgets nothing, so names are used again. */
const slots = 256

/** Which slice lies under which name, least recently used first. */
const kept = new Map<string, string>()

/**
 * The name under which Cedar has these policies parsed; parses them where it has not.
 *
 * @param key the same for the same policies only
 * @throws TypeError for policies that do not parse, which no set has
 */
export function preparsedName(key: string, policies: () => Record<string, string>): string {
  const name = kept.get(key) ?? load(policies())
  kept.delete(key)
  kept.set(key, name)
  return name
}

function load(policies: Record<string, string>): string {
  const name = freeName()
  const answer = preparsePolicySet(name, { staticPolicies: policies })
  if (answer.type === 'failure') throw new TypeError('a set of policies that do not parse')
  return name
}

function freeName(): string {
  if (kept.size < slots) return `slice-${kept.size}`
  const [[oldest, name] = ['', 'slice-0']] = kept
  kept.delete(oldest)
  return name
}
