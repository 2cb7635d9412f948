import type { HsmProperty } from '../../formats/hsm/verified.ts'
import { affirmed, contraindicated, listed, type Finding } from '../finding.ts'
import type { HsmSubject } from '../subject.ts'

/** What a key of an HSM must be beside born there and fixed there: each named property has one of the values. */
export interface HsmKeyRule {
  readonly kind: 'hsm-key'
  readonly id: string
  /** By property: `{ "modifiable": ["false"], "pin-policy": ["once", "always"] }`; a property that is not shown fails. */
  readonly accept: Readonly<Partial<Record<HsmProperty, readonly string[]>>>
}

/** See {@link HsmKeyRule}. */
export function appraiseHsmKey({ accept }: HsmKeyRule, { hsm }: HsmSubject): Finding {
  const wanted = Object.entries(accept)
  const shown = (name: string): string | undefined => hsm.properties[name as HsmProperty]
  const wrong = wanted.filter(([name, values]) => !values.includes(shown(name) ?? ''))
  const expected = wanted.map(([name, values]) => `${name} ${values.join(' or ')}`).join('; ')
  if (wrong.length === 0) return affirmed(undefined, expected)
  return contraindicated(
    listed(wrong.map(([name]) => `${name} ${shown(name) ?? 'not shown'}`)),
    expected,
  )
}
