import type { Handle, PKCS11 } from 'pkcs11js'
import { CKA } from './pkcs11-constants.ts'
import { Pkcs11Error, type Pkcs11ErrorCode } from './pkcs11-error.ts'

interface Rule {
  readonly name: string
  readonly attribute: number
  readonly wanted: boolean
  readonly code: Pkcs11ErrorCode
}

/**
 * What a private key must say of itself, PKCS #11 v3.0 §4.8, §4.9: born in this token, never outside, unable to leave.
 * An attribute that the token does not show counts as not fulfilled.
 */
const origin: readonly Rule[] = [
  {
    name: 'CKA_EXTRACTABLE',
    attribute: CKA.EXTRACTABLE,
    wanted: false,
    code: 'pkcs11-key-extractable',
  },
  {
    name: 'CKA_SENSITIVE',
    attribute: CKA.SENSITIVE,
    wanted: true,
    code: 'pkcs11-key-not-sensitive',
  },
  { name: 'CKA_LOCAL', attribute: CKA.LOCAL, wanted: true, code: 'pkcs11-key-not-local' },
  {
    name: 'CKA_NEVER_EXTRACTABLE',
    attribute: CKA.NEVER_EXTRACTABLE,
    wanted: true,
    code: 'pkcs11-key-once-extractable',
  },
  {
    name: 'CKA_ALWAYS_SENSITIVE',
    attribute: CKA.ALWAYS_SENSITIVE,
    wanted: true,
    code: 'pkcs11-key-once-insensitive',
  },
  { name: 'CKA_SIGN', attribute: CKA.SIGN, wanted: true, code: 'pkcs11-key-unsuitable' },
]

/**
 * Reads what the token says of a private key and refuses one that it could have lost.
 *
 * @throws Pkcs11Error `pkcs11-key-…`, by the first rule that is not met
 */
export function requireBornInside(module: PKCS11, session: Handle, key: Handle): void {
  for (const { name, attribute, wanted, code } of origin) {
    const found = readFlag(module, session, key, attribute)
    if (found !== wanted)
      throw new Pkcs11Error(code, { expected: `${name} ${wanted}`, found: String(found) })
  }
  // A key that asks for the PIN with each signature cannot serve by itself; few tokens know the attribute.
  if (readFlag(module, session, key, CKA.ALWAYS_AUTHENTICATE) === true)
    throw new Pkcs11Error('pkcs11-key-unsuitable', { expected: 'no CKA_ALWAYS_AUTHENTICATE' })
}

function readFlag(
  module: PKCS11,
  session: Handle,
  key: Handle,
  attribute: number,
): boolean | undefined {
  const value = readAttribute(module, session, key, attribute)
  return value?.length === 1 ? value[0] === 1 : undefined
}

/** One attribute; undefined where the token does not have it or does not show it. */
export function readAttribute(
  module: PKCS11,
  session: Handle,
  object: Handle,
  type: number,
): Buffer | undefined {
  try {
    const [attribute] = module.C_GetAttributeValue(session, object, [{ type }])
    const value = attribute?.value
    return Buffer.isBuffer(value) ? value : undefined
  } catch (error) {
    // PKCS #11 v3.0 §5.7.5: the two answers that say that there is no value to be had.
    if (error instanceof Error && /^CKR_ATTRIBUTE_(TYPE_INVALID|SENSITIVE)/.test(error.message))
      return undefined
    throw error
  }
}
