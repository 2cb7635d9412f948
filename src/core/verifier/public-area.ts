import { FormatError } from '../bytes/format-error.ts'
import { curveOf, hashAlgorithms, TPM_ALG, type HashAlgorithm } from '../tpm/algorithm.ts'
import { attributeNames, brokenAttributeRule, type AttributeRule } from '../tpm/attributes.ts'
import {
  encodeTpmtPublic,
  parseTpmtPublic,
  type RsaPublic,
  type TpmtPublic,
} from '../tpm/public.ts'
import { hasRocaFingerprint } from '../x509/roca.ts'
import type { CheckRecorder } from './check.ts'

const minimumRsaBits = 2048
const usualExponents = [0, 65_537]

/**
 * Reads a public area whose bytes are its one encoding: what is hashed into the Name is what was read.
 *
 * @throws FormatError
 * @see TPM 2.0 Part 1 r01.59 §16; verification K4
 */
export function parsePublicArea(bytes: Uint8Array): TpmtPublic {
  const area = parseTpmtPublic(bytes)
  /* c8 ignore next 3 -- every form that is read today has one encoding; one with two must not get past a new reader */
  if (Buffer.compare(encodeTpmtPublic(area), bytes) !== 0) {
    throw new FormatError('structure-value', { expected: 'the canonical encoding' })
  }
  return area
}

/**
 * Holds the attributes of a key against a rule. Those that are left to the host (who may use the key, and how) and its
 * authorization policy stand in the line of the verdict (verification K1, K6, F4, P6).
 *
 * @throws EvidenceError with the code given
 */
export function requireAttributes(
  checks: CheckRecorder,
  code: 'ak-attributes' | 'subject-attributes' | 'statement-attributes',
  area: TpmtPublic,
  rule: AttributeRule,
  bytes: Uint8Array,
): void {
  const expected = brokenAttributeRule(area.objectAttributes, rule)
  const policy = Buffer.from(area.authPolicy).toString('hex')
  const names = attributeNames(area.objectAttributes)
  const found = policy === '' ? names : `${names}; policy ${policy}`
  if (expected !== undefined) checks.refuse(code, { expected, found, bytes })
  checks.pass(code, bytes, found)
}

/** Whether names may be built with the area's hash (verification K4, F10). */
export function hasStrongName(area: TpmtPublic): boolean {
  return isStrongHash(area.nameAlg)
}

/** Whether a hash may stand in names, schemes and banks (verification A1); false for an unknown one. */
export function isStrongHash(id: number | undefined): boolean {
  return strongHash(id) !== undefined
}

/** The row of a hash that may stand in names, schemes and banks; undefined for a weak or unknown one. */
export function strongHash(id: number | undefined): HashAlgorithm | undefined {
  return hashAlgorithms.find(row => row.id === id && row.strong)
}

/**
 * What makes the key of an area too weak to sign with, in words; undefined where nothing does. Whether a point lies on
 * its curve is found when the key is imported.
 *
 * @see NIST SP 800-57 Part 1 r5 §5.6.1; verification K3, E11
 */
export function weaknessOfArea(area: TpmtPublic): string | undefined {
  if (area.type === TPM_ALG.RSA) return weaknessOfRsa(area)
  return curveOf(area.curveId) === undefined ? `curve ${area.curveId}` : undefined
}

function weaknessOfRsa({ keyBits, exponent, modulus }: RsaPublic): string | undefined {
  const [first = 0] = modulus
  const last = modulus.at(-1) ?? 0
  if (keyBits < minimumRsaBits) return `RSA of ${keyBits} bits`
  if (modulus.length * 8 !== keyBits || first < 0x80 || last % 2 === 0)
    return 'an ill-formed modulus'
  if (!usualExponents.includes(exponent)) return `exponent ${exponent}`
  return hasRocaFingerprint(modulus) ? 'the fingerprint of CVE-2017-15361' : undefined
}
