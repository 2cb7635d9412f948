import type { KeyObject } from 'node:crypto'
import { nameOf, type TpmtPublic } from '../tpm/public.ts'
import { keyObjectOf } from '../tpm/signature.ts'
import type { CheckRecorder } from '../verifier/check.ts'
import {
  hasStrongName,
  parsePublicArea,
  requireAttributes,
  weaknessOfArea,
} from '../verifier/public-area.ts'

/** What a key must have that was born in its TPM, stays there and signs what it is given (verification F4). */
const required = ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'sign'] as const
const forbidden = ['restricted', 'stClear', 'encryptedDuplication', 'x509sign'] as const

/** A key that a statement is about. */
export interface CertifiedKey {
  readonly area: TpmtPublic
  readonly key: KeyObject
  readonly name: Uint8Array
}

/**
 * Checks the public area of the key that a statement is about.
 *
 * @param received TPMT_PUBLIC, untrusted
 * @param permitsDecryption lets pass keys that decrypt as well, as some platforms make them
 * @throws EvidenceError `statement-public-malformed`, `statement-attributes`, `statement-name-algorithm`,
 *   `statement-key-weak`
 */
export function verifyCertifiedArea(
  checks: CheckRecorder,
  bytes: Uint8Array,
  permitsDecryption: boolean,
): CertifiedKey {
  const area = checks.attempt('statement-public-malformed', bytes, () => parsePublicArea(bytes))
  const rule = {
    required,
    forbidden: permitsDecryption ? forbidden : [...forbidden, 'decrypt' as const],
  }
  requireAttributes(checks, 'statement-attributes', area, rule, bytes)
  checks.require(hasStrongName(area), 'statement-name-algorithm', { bytes })
  const weakness = weaknessOfArea(area)
  if (weakness !== undefined) checks.refuse('statement-key-weak', { found: weakness, bytes })
  const key = keyObjectOf(area)
  if (key === undefined)
    checks.refuse('statement-key-weak', { found: 'a point off its curve', bytes })
  checks.pass('statement-key-weak', bytes)
  return { area, key, name: nameOf(bytes) }
}
