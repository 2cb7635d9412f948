import type { KeyObject } from 'node:crypto'
import { encodeEcSpki } from '../jose/ec-key.ts'
import { TPM_ALG } from '../tpm/algorithm.ts'
import { nameOf, type TpmtPublic } from '../tpm/public.ts'
import { keyObjectOf, pointOf } from '../tpm/signature.ts'
import type { CheckRecorder } from './check.ts'
import { hasStrongName, parsePublicArea, requireAttributes } from './public-area.ts'
import { hasSigningScheme, signingKeyRule } from './signing-area.ts'

/** Curves of the algorithms that tokens and requests are signed with here (RFC 7518 §3.4). */
const curves: readonly (string | undefined)[] = ['P-256', 'P-384']

/** The public area of a subject key that may be certified. */
export interface SubjectArea {
  readonly area: TpmtPublic
  readonly key: KeyObject
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly name: Uint8Array
}

/**
 * Checks the public area of a subject key.
 *
 * @param public TPMT_PUBLIC, untrusted
 * @throws EvidenceError `subject-public-malformed`, `subject-attributes`, `subject-name-algorithm`, `subject-policy`,
 *   `subject-scheme`, `subject-key-weak`
 * @see verification F4, F8, F10
 */
export function verifySubjectArea(checks: CheckRecorder, received: Uint8Array): SubjectArea {
  const bytes = Uint8Array.from(received)
  const area = checks.attempt('subject-public-malformed', bytes, () => parsePublicArea(bytes))
  requireAttributes(checks, 'subject-attributes', area, signingKeyRule, bytes)
  checks.require(hasStrongName(area), 'subject-name-algorithm', { bytes })
  // No policy is promised to anybody yet, so the one that is right is none.
  checks.require(area.authPolicy.length === 0, 'subject-policy', { bytes })
  checks.require(hasSigningScheme(area), 'subject-scheme', { bytes })
  const signing = requireSigningKey(checks, area, bytes)
  return { area, ...signing, name: nameOf(bytes) }
}

function requireSigningKey(
  checks: CheckRecorder,
  area: TpmtPublic,
  bytes: Uint8Array,
): Pick<SubjectArea, 'key' | 'spki'> {
  const point = area.type === TPM_ALG.ECC ? pointOf(area) : undefined
  const key = curves.includes(point?.curve.name) ? keyObjectOf(area) : undefined
  if (point === undefined || key === undefined)
    return checks.refuse('subject-key-weak', { expected: 'a point on P-256 or P-384', bytes })
  checks.pass('subject-key-weak', bytes)
  return { key, spki: encodeEcSpki(point.curve.name, point.x, point.y) }
}
