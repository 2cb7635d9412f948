import type { KeyObject } from 'node:crypto'
import { TPM_ALG } from '../tpm/algorithm.ts'
import type { AttributeRule } from '../tpm/attributes.ts'
import { nameOf, type TpmtPublic } from '../tpm/public.ts'
import { keyObjectOf } from '../tpm/signature.ts'
import type { CheckRecorder } from '../verifier/check.ts'
import {
  hasStrongName,
  parsePublicArea,
  requireAttributes,
  weaknessOfArea,
} from '../verifier/public-area.ts'
import { hasSigningScheme, signingKeyRule } from '../verifier/signing-area.ts'

/** Kinds of keys that a caller may take. */
export type KeyKind = 'ec' | 'rsa'

/** What a certified key may be; said by the caller. */
export interface CertifiedKeyScope {
  readonly keyKinds: readonly KeyKind[]
  /** Lets pass keys that decrypt as well, as some platforms make them. */
  readonly permitsDecryption: boolean
}

const kinds: Readonly<Record<TpmtPublic['type'], KeyKind>> = {
  [TPM_ALG.RSA]: 'rsa',
  [TPM_ALG.ECC]: 'ec',
}

/** A key that a statement is about. */
export interface CertifiedKey {
  readonly area: TpmtPublic
  readonly key: KeyObject
  readonly name: Uint8Array
}

/**
 * Checks the public area of the key that a statement is about, by the rule that subject keys have. Its authorization
 * policy, which some platforms give it, stands in the verdict.
 *
 * @param bytes TPMT_PUBLIC, untrusted
 * @throws EvidenceError `statement-public-malformed`, `statement-key-kind`, `statement-attributes`,
 *   `statement-name-algorithm`, `statement-scheme`, `statement-key-weak`
 */
export function verifyCertifiedArea(
  checks: CheckRecorder,
  bytes: Uint8Array,
  { keyKinds, permitsDecryption }: CertifiedKeyScope,
): CertifiedKey {
  const area = checks.attempt('statement-public-malformed', bytes, () => parsePublicArea(bytes))
  const found = kinds[area.type]
  const expected = keyKinds.join(' or ')
  checks.require(keyKinds.includes(found), 'statement-key-kind', { expected, found, bytes })
  requireAttributes(checks, 'statement-attributes', area, ruleOf(permitsDecryption), bytes)
  checks.require(hasStrongName(area), 'statement-name-algorithm', { bytes })
  checks.require(hasSigningScheme(area), 'statement-scheme', { bytes })
  return { area, key: requireStrongKey(checks, area, bytes), name: nameOf(bytes) }
}

function ruleOf(permitsDecryption: boolean): AttributeRule {
  if (!permitsDecryption) return signingKeyRule
  const { required, forbidden } = signingKeyRule
  return { required, forbidden: forbidden.filter(attribute => attribute !== 'decrypt') }
}

function requireStrongKey(checks: CheckRecorder, area: TpmtPublic, bytes: Uint8Array): KeyObject {
  const weakness = weaknessOfArea(area)
  if (weakness !== undefined) checks.refuse('statement-key-weak', { found: weakness, bytes })
  const key = keyObjectOf(area)
  if (key === undefined)
    checks.refuse('statement-key-weak', { found: 'a point off its curve', bytes })
  checks.pass('statement-key-weak', bytes)
  return key
}
