import type { CheckRecorder } from '../../verifier/check.ts'
import { verifyRevocation } from '../../verifier/endorsement-revocation.ts'
import { keyUsages, parseCertificate, type Certificate } from '../../x509/certificate.ts'
import { isSameName } from '../../x509/name.ts'
import {
  commonViolation,
  isWithinValidity,
  keyViolation,
  validityOf,
} from '../../x509/path-checks.ts'
import { PathError } from '../../x509/path-error.ts'
import { pathRows, type PathCode } from '../../x509/path-rows.ts'
import { verifyPath, type CertificationPath } from '../../x509/path.ts'
import { isSignedWith } from '../../x509/signature-algorithm.ts'
import type { EndorsementBasis } from '../evidence-format.ts'
import type { AttestationVendor } from './vendor.ts'

/** An attestation whose device the vendor vouches for. */
export interface AttestedPath {
  readonly key: Certificate
  readonly device: Certificate
  /** Lower-case hex SHA-256 of each certificate above the device's. */
  readonly anchors: readonly string[]
}

/**
 * Verifies key ← device ← an authority that an operator admitted for this vendor, and nothing in between: so the
 * authority is the one of this very product, and a certificate of another product below the same root of the vendor
 * leads nowhere. Certificates of the message are the key's and the device's; none of them is an anchor.
 *
 * @throws EvidenceError `hsm-certificate-malformed`, `hsm-chain`, `path-…`, `ek-revocation…`, `hsm-device`,
 *   `hsm-certificate-signature`, `hsm-certificate-validity`
 * @see RFC 5280 §6.1; verification section 15, H6
 */
export function verifyDevicePath(
  checks: CheckRecorder,
  vendor: AttestationVendor,
  evidence: { readonly statement: Uint8Array; readonly chain: readonly Uint8Array[] },
  basis: EndorsementBasis & { readonly now: Date },
): AttestedPath {
  const key = readCertificate(checks, evidence.statement)
  const [bytes, ...others] = evidence.chain
  if (bytes === undefined || others.length > 0)
    return checks.refuse('hsm-chain', { found: `${evidence.chain.length} certificates` })
  checks.pass('hsm-chain')
  const device = readCertificate(checks, bytes)
  const path = verifyDevice(checks, vendor, device, basis)
  const { revocation: sources, endorsementPolicy: policy, now } = basis
  verifyRevocation(path, { sources, policy, vendor: vendor.id, now }, checks)
  verifyKeyCertificate(checks, key, device, now.getTime())
  return { key, device, anchors: [path.anchor.fingerprint] }
}

function readCertificate(checks: CheckRecorder, bytes: Uint8Array): Certificate {
  return checks.attempt('hsm-certificate-malformed', undefined, () => parseCertificate(bytes))
}

/** The device's certificate as the end of a path: what it may sign is looked at by itself. */
function verifyDevice(
  checks: CheckRecorder,
  { id }: AttestationVendor,
  device: Certificate,
  { anchors, now }: EndorsementBasis & { readonly now: Date },
): CertificationPath {
  const admitted = anchors.filter(({ vendor, assurance }) => {
    return vendor === id && assurance === 'hsm-attested'
  })
  try {
    const path = verifyPath({
      leaf: device,
      intermediates: [],
      anchors: admitted.map(({ certificate }) => parseCertificate(certificate)),
      time: now.getTime(),
      // Devices write certificates without key identifiers.
      tolerances: () => new Set(['key-identifier-absent'] as const),
    })
    const { fingerprint } = path.anchor
    for (const code of Object.keys(pathRows) as PathCode[])
      checks.pass(code, undefined, code === 'path-issuer' ? fingerprint : undefined)
    return path
  } catch (cause) {
    /* c8 ignore next -- path validation throws nothing else */
    if (!(cause instanceof PathError)) throw cause
    return checks.refuse(cause.code, { found: String(cause.found), cause })
  }
}

function verifyKeyCertificate(
  checks: CheckRecorder,
  key: Certificate,
  device: Certificate,
  time: number,
): void {
  const violation = deviceViolation(device)
  if (violation !== undefined) checks.refuse('hsm-device', { found: violation })
  checks.pass('hsm-device')
  checks.require(isAttestedBy(key, device), 'hsm-certificate-signature')
  const isValid = isWithinValidity(key, time)
  checks.require(isValid, 'hsm-certificate-validity', isValid ? {} : { found: validityOf(key) })
  const unknown = commonViolation(key, time)
  if (unknown !== undefined) checks.refuse('hsm-extension', { found: unknown.found })
}

/** RFC 5280 §4.2.1.3: where there is no key usage, none is ruled out. Authority it must be. */
function deviceViolation(device: Certificate): string | undefined {
  const { basicConstraints, keyUsage = keyUsages.keyCertSign } = device.fields.extensions
  if (basicConstraints?.isAuthority !== true) return 'no authority'
  if ((keyUsage & keyUsages.keyCertSign) === 0) return 'no right to sign certificates'
  return keyViolation(device)
}

function isAttestedBy(key: Certificate, device: Certificate): boolean {
  const { algorithm, signed, signature, issuer, extensions } = key.fields
  /* c8 ignore next -- a device without a usable key was refused before */
  if (device.key === undefined) return false
  if (algorithm === undefined) return false
  if (extensions.basicConstraints?.isAuthority === true) return false
  const isNamed = isSameName(issuer, device.fields.subject)
  return isNamed && isSignedWith(algorithm, device.key, signed, signature)
}
