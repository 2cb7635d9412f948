import { attributeNames, brokenAttributeRule } from '../tpm/attributes.ts'
import { nameOf, qualifiedNameOf } from '../tpm/public.ts'
import type { CheckRecorder } from './check.ts'
import { hasStrongName, parsePublicArea } from './public-area.ts'

/** A storage key that stays in its TPM (TPM 2.0 Part 1 r01.59 §23). */
const attributeRule = {
  required: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'restricted', 'decrypt'],
  forbidden: ['sign', 'stClear', 'encryptedDuplication', 'x509sign'],
} as const

/** Where a host says its key stands: below this primary storage key. Untrusted; the TPM's Qualified Name decides. */
export interface ParentClaim {
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array
  /** Keys below the null hierarchy die with each reset and can be anybody's; there is no word for it here. */
  readonly hierarchy: 'owner' | 'endorsement'
}

/**
 * Verifies where a certified key stands: the Qualified Name that the TPM signed must be the one that follows from the
 * hierarchy, the parent and the key.
 *
 * @param name Name of the key
 * @param certified Qualified Name that the TPM signed
 * @throws EvidenceError `subject-parent`, `subject-parentage`
 * @see TPM 2.0 Part 1 r01.59 §16; verification F6
 */
export function verifyParentage(
  checks: CheckRecorder,
  parent: ParentClaim,
  name: Uint8Array,
  certified: Uint8Array,
): void {
  const bytes = Uint8Array.from(parent.public)
  const parentName = verifyParentArea(checks, bytes)
  const expected = qualifiedNameOf(qualifiedNameOf(parent.hierarchy, parentName), name)
  checks.require(Buffer.compare(expected, certified) === 0, 'subject-parentage', { bytes })
}

function verifyParentArea(checks: CheckRecorder, bytes: Uint8Array): Uint8Array {
  const area = checks.attempt('subject-parent-malformed', bytes, () => parsePublicArea(bytes))
  const broken = brokenAttributeRule(area.objectAttributes, attributeRule)
  const isStorage = broken === undefined && area.symmetric !== undefined && hasStrongName(area)
  checks.require(isStorage, 'subject-parent', {
    ...(broken === undefined ? {} : { expected: broken }),
    found: attributeNames(area.objectAttributes),
    bytes,
  })
  return nameOf(bytes)
}
