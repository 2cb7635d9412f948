import type { HsmAttributes } from './attributes.ts'
import type { HsmProperty } from './verified.ts'

const names = [
  ['modifiable', 'CKA_MODIFIABLE'],
  ['copyable', 'CKA_COPYABLE'],
  ['destroyable', 'CKA_DESTROYABLE'],
  ['always-authenticate', 'CKA_ALWAYS_AUTHENTICATE'],
] as const

/** What attributes say that no format demands and a policy may ask for; what the token does not have is left out. */
export function propertiesOf(
  attributes: HsmAttributes,
): Readonly<Partial<Record<HsmProperty, string>>> {
  const known = names.flatMap(([property, attribute]) => {
    const value = attributes[attribute]
    return value === null ? [] : [[property, String(value)] as const]
  })
  return Object.fromEntries(known)
}
