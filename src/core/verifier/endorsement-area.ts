import { curveOf, TPM_ALG } from '../tpm/algorithm.ts'
import type { EccPublic, RsaPublic, TpmtPublic } from '../tpm/public.ts'
import { padLeft } from '../tpm/signature.ts'
import { matchEndorsementTemplate, type EndorsementTemplate } from '../tpm/templates.ts'
import type { PublicKey } from '../x509/public-key.ts'
import type { CheckRecorder } from './check.ts'

/**
 * Verifies that a public area is of the certified key and follows a template: name algorithm, symmetric algorithm,
 * attributes and policy are those of the table, whatever the host says.
 *
 * @throws EvidenceError `ek-public-differs`, `ek-template`
 * @see TCG EK Credential Profile v2.5 Annex B; verification T1, T2
 */
export function verifyEndorsementArea(
  area: TpmtPublic,
  certified: PublicKey,
  recorder: CheckRecorder,
): EndorsementTemplate {
  recorder.require(isSameKey(area, certified), 'ek-public-differs')
  const template = matchEndorsementTemplate(area)
  if (template === undefined) recorder.refuse('ek-template', { found: 'none that is known' })
  recorder.pass('ek-template', undefined, template.name)
  return template
}

function isSameKey(area: TpmtPublic, certified: PublicKey): boolean {
  if (certified.kind === 'unsupported') return false
  if (area.type === TPM_ALG.RSA) return certified.kind === 'rsa' && isSameRsaKey(area, certified)
  return certified.kind === 'ec' && isSameEccKey(area, certified)
}

function isSameRsaKey(area: RsaPublic, certified: PublicKey & { kind: 'rsa' }): boolean {
  const exponent = area.exponent === 0 ? 65_537 : area.exponent
  const certifiedExponent = Number(`0x${Buffer.from(certified.exponent).toString('hex')}`)
  const width = area.keyBits / 8
  return (
    exponent === certifiedExponent &&
    certified.modulus.length === width &&
    isSameNumber(area.modulus, certified.modulus, width)
  )
}

function isSameEccKey(area: EccPublic, certified: PublicKey & { kind: 'ec' }): boolean {
  const curve = curveOf(area.curveId)
  if (curve === undefined || curve.name !== certified.curve) return false
  return (
    isSameNumber(area.x, certified.x, curve.coordinateLength) &&
    isSameNumber(area.y, certified.y, curve.coordinateLength)
  )
}

/** A TPM may leave out the leading zeros of a coordinate; a certificate has them. */
function isSameNumber(left: Uint8Array, right: Uint8Array, width: number): boolean {
  const padded = [padLeft(left, width), padLeft(right, width)]
  const [first, second] = padded
  return first !== undefined && second !== undefined && Buffer.compare(first, second) === 0
}

/** The key of a public area, in the form that certificates have: widths fixed, the usual exponent written out. */
export function publicKeyOf(area: TpmtPublic): PublicKey {
  if (area.type === TPM_ALG.RSA) {
    const exponent = (area.exponent === 0 ? 65_537 : area.exponent).toString(16)
    const bytes = Buffer.from(
      exponent.padStart(exponent.length + (exponent.length % 2), '0'),
      'hex',
    )
    return { kind: 'rsa', algorithm: 'rsaEncryption', modulus: area.modulus, exponent: bytes }
  }
  const curve = curveOf(area.curveId)
  const x = curve && padLeft(area.x, curve.coordinateLength)
  const y = curve && padLeft(area.y, curve.coordinateLength)
  if (curve === undefined || x === undefined || y === undefined)
    return { kind: 'unsupported', algorithm: `curve ${area.curveId}`, reason: 'an unknown curve' }
  return { kind: 'ec', curve: curve.name, x, y }
}
