import type { CheckRecorder } from '../../verifier/check.ts'
import type { HsmCheckCode } from './check-rows.ts'

/** Attributes of a private key that are true or false, as PKCS #11 names them. */
export const booleanAttributes = [
  'CKA_TOKEN',
  'CKA_PRIVATE',
  'CKA_SENSITIVE',
  'CKA_ALWAYS_SENSITIVE',
  'CKA_EXTRACTABLE',
  'CKA_NEVER_EXTRACTABLE',
  'CKA_LOCAL',
  'CKA_SIGN',
  'CKA_SIGN_RECOVER',
  'CKA_DECRYPT',
  'CKA_UNWRAP',
  'CKA_DERIVE',
  'CKA_WRAP',
  'CKA_MODIFIABLE',
  'CKA_COPYABLE',
  'CKA_DESTROYABLE',
  'CKA_ALWAYS_AUTHENTICATE',
] as const

export type BooleanAttribute = (typeof booleanAttributes)[number]

/** Attributes as a token showed them; null where it has none of that name. */
export type HsmAttributes = Readonly<Record<BooleanAttribute, boolean | null>> & {
  /** CK_MECHANISM_TYPE; null where the token does not know how the key came to be (CK_UNAVAILABLE_INFORMATION). */
  readonly CKA_KEY_GEN_MECHANISM: number | null
}

interface Row {
  readonly attribute: BooleanAttribute
  /** What it must be; an attribute that the token does not have counts as false only where it says so. */
  readonly value: boolean
  readonly isFalseWhenAbsent?: true
  readonly code: HsmCheckCode
}

/**
 * What a key must be so that it was born in its token, cannot leave it, and does nothing but sign. What a policy may ask
 * for beside is recorded.
 *
 * @see PKCS #11 v3.0 §4.9; verification section 14
 */
const rows: readonly Row[] = [
  { attribute: 'CKA_TOKEN', value: true, code: 'hsm-session-object' },
  { attribute: 'CKA_PRIVATE', value: true, code: 'hsm-session-object' },
  { attribute: 'CKA_EXTRACTABLE', value: false, code: 'hsm-extractable' },
  { attribute: 'CKA_NEVER_EXTRACTABLE', value: true, code: 'hsm-ever-extractable' },
  { attribute: 'CKA_SENSITIVE', value: true, code: 'hsm-sensitive' },
  { attribute: 'CKA_ALWAYS_SENSITIVE', value: true, code: 'hsm-sensitive' },
  { attribute: 'CKA_LOCAL', value: true, code: 'hsm-not-local' },
  { attribute: 'CKA_SIGN', value: true, code: 'hsm-usage' },
  usage('CKA_SIGN_RECOVER'),
  usage('CKA_DECRYPT'),
  usage('CKA_UNWRAP'),
  usage('CKA_DERIVE'),
  usage('CKA_WRAP'),
]

function usage(attribute: BooleanAttribute): Row {
  return { attribute, value: false, isFalseWhenAbsent: true, code: 'hsm-usage' }
}

/** CKM_EC_KEY_PAIR_GEN, PKCS #11 Current Mechanisms v3.0 §2.3.5. */
const ecKeyPairGeneration = 0x1040

/** Holds attributes against the table. Throws EvidenceError with the code of the first that is wrong. */
export function verifyAttributes(checks: CheckRecorder, attributes: HsmAttributes): void {
  for (const { attribute, value, isFalseWhenAbsent, code } of rows) {
    const found = attributes[attribute] ?? (isFalseWhenAbsent === true ? false : null)
    const shown = `${attribute} ${found ?? 'absent'}`
    checks.require(found === value, code, { expected: `${attribute} ${value}`, found: shown })
  }
  const mechanism = attributes.CKA_KEY_GEN_MECHANISM
  const isKnown = mechanism === ecKeyPairGeneration
  const found = mechanism === null ? 'none' : `0x${mechanism.toString(16)}`
  checks.require(isKnown, 'hsm-mechanism', { expected: 'CKM_EC_KEY_PAIR_GEN', found })
}

/**
 * Takes attributes out of parsed JSON, where each of them must be there and nothing else; undefined for anything that
 * is not so.
 */
export function readAttributes(value: unknown): HsmAttributes | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const record = value as Record<string, unknown>
  if (Object.keys(record).length !== booleanAttributes.length + 1) return undefined
  const entries = booleanAttributes.map(name => [name, record[name]] as const)
  const isRight = entries.every(([, found]) => typeof found === 'boolean' || found === null)
  const mechanism = record['CKA_KEY_GEN_MECHANISM']
  const isMechanism = mechanism === null || Number.isSafeInteger(mechanism)
  if (!isRight || !isMechanism) return undefined
  return {
    ...(Object.fromEntries(entries) as Record<BooleanAttribute, boolean | null>),
    CKA_KEY_GEN_MECHANISM: mechanism as number | null,
  }
}
