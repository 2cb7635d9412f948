import { createHash, sign } from 'node:crypto'
import type { HsmFormatId } from '../../../src/core/formats/format-table.ts'
import { hsmFormats } from '../../../src/core/formats/format-table.ts'
import {
  hsmInspectionMessage,
  hsmProofMessage,
  type HsmContext,
} from '../../../src/core/formats/hsm/binding.ts'
import type { HsmEvidence } from '../../../src/core/formats/hsm/evidence.ts'
import type { HsmExpectations } from '../../../src/core/formats/hsm/format.ts'
import { tokenSha256, type HsmToken } from '../../../src/core/formats/hsm/token.ts'
import type { VerifiedHsmKey } from '../../../src/core/formats/hsm/verified.ts'
import {
  encodeInspection,
  type Inspection,
} from '../../../src/core/formats/inspected/inspection.ts'
import { parseTrustAnchor } from '../../../src/core/verifier/trust-anchor.ts'
import type { CertificateEdit, ExtensionPart } from '../../../swtpm/emulated/certificate.ts'
import {
  createEmulatedHsmVendor,
  goodYubiHsm,
  goodYubiKey,
  yubiHsmExtensions,
  yubiKeyExtensions,
  type EmulatedHsm,
} from '../../../swtpm/emulated/hsm-vendor.ts'
import { goodAttributes } from '../../../swtpm/emulated/hsm-attributes.ts'
import { certificationRequest } from '../../support/certification-request.ts'
import { compactJws, createTestKey, type TestKey } from '../../support/compact-jws.ts'

export const now = Date.UTC(2026, 10, 5, 12)
export const context: HsmContext = {
  purpose: 'host',
  audience: 'https://assay.example',
  contextId: 'enrolment',
  nonce: Buffer.alloc(32, 9),
}

export const yubiHsmVendor = createEmulatedHsmVendor(now, 'Emulated YubiHSM')
export const yubiKeyVendor = createEmulatedHsmVendor(now, 'Emulated YubiKey')
export const yubiHsm = yubiHsmVendor.createDevice()
export const yubiKey = yubiKeyVendor.createDevice()

function anchorOf(certificate: Uint8Array, vendor: string): HsmExpectations['anchors'][number] {
  const labels = { name: vendor, vendor, assurance: 'hsm-attested' } as const
  return parseTrustAnchor(certificate, labels, new Date(now))
}

export const anchors = [
  anchorOf(yubiHsmVendor.product.certificate, 'yubihsm2'),
  anchorOf(yubiKeyVendor.product.certificate, 'yubikey-piv'),
]

export const key = createTestKey()
export const attestationKey = createTestKey()

/** A token that is none of software. */
export const token: HsmToken = { manufacturer: 'Maker of HSMs', model: 'Box 7', serial: '0042' }

export const expectations: HsmExpectations = {
  anchors,
  intermediates: [],
  revocation: { lists: [], responses: [] },
  endorsementPolicy: {},
  hsmKeys: [{ jwk: attestationKey.jwk, isToken: sha256 => sha256 === tokenSha256(token) }],
  context,
  now: new Date(now),
}

/** Signs r ‖ s with the hash of the key's curve. */
export function signAs(signer: TestKey, message: Uint8Array): Uint8Array {
  const hash = signer.jwk.crv === 'P-256' ? 'sha256' : 'sha384'
  return sign(hash, message, { key: signer.privateKey, dsaEncoding: 'ieee-p1363' })
}

/** Completes Evidence: request and proof by the key, over what vouches for it. */
export function completed(
  format: HsmFormatId,
  parts: Pick<HsmEvidence, 'statement'> & Partial<HsmEvidence>,
  signer: TestKey = key,
  of: HsmContext = context,
): HsmEvidence {
  const csr = parts.csr ?? certificationRequest(signer)
  const statement = format === 'hsm-inspected' ? new Uint8Array() : parts.statement
  const proof = signAs(signer, hsmProofMessage(of, format, { csr, statement }))
  return { vendor: '', token, chain: [], csr, proof, ...parts }
}

interface Attested {
  readonly extensions?: readonly ExtensionPart[]
  readonly subject?: string
  readonly device?: EmulatedHsm
  readonly edit?: CertificateEdit
  readonly signer?: TestKey
  readonly attested?: TestKey
}

/** Evidence of a YubiHSM 2. */
export function yubiHsmEvidence(
  made: Attested = {},
  parts: Partial<HsmEvidence> = {},
): HsmEvidence {
  const { device = yubiHsm, extensions = yubiHsmExtensions(), signer = key } = made
  const { subject = 'YubiHSM Attestation id:0x0102', edit, attested = signer } = made
  const statement = device.attest(attested.publicKey, extensions, subject, edit)
  const serial = String(goodYubiHsm.serial)
  const named = { manufacturer: 'Yubico (www.yubico.com)', model: 'YubiHSM', serial }
  const rest = { vendor: 'yubihsm2', token: named, chain: [device.certificate] }
  return completed('hsm-attested', { statement, ...rest, ...parts }, signer)
}

/** Evidence of a YubiKey. */
export function yubiKeyEvidence(
  made: Attested = {},
  parts: Partial<HsmEvidence> = {},
): HsmEvidence {
  const { extensions = yubiKeyExtensions(), subject = 'YubiKey PIV Attestation 9c' } = made
  const serial = String(goodYubiKey.serial)
  const named = { manufacturer: 'Yubico (www.yubico.com)', model: 'YubiKey', serial }
  const rest = { vendor: 'yubikey-piv', token: named, ...parts }
  return yubiHsmEvidence({ ...made, extensions, subject, device: made.device ?? yubiKey }, rest)
}

/** Evidence that the service inspected, as it found things. */
export function inspectedEvidence(
  found: Partial<Inspection> = {},
  parts: Partial<HsmEvidence> = {},
  signer: TestKey = key,
): HsmEvidence {
  const csr = certificationRequest(signer)
  const inspection: Inspection = {
    token,
    firmware: '7.3',
    attributes: goodAttributes,
    spki: signer.publicKey.export({ format: 'der', type: 'spki' }),
    signature: signAs(signer, hsmInspectionMessage(context, csr)),
    ...found,
  }
  const statement = encodeInspection(inspection)
  return completed('hsm-inspected', { statement, csr, ...parts }, signer)
}

/** A statement's payload about the key, for the context. */
export function statementPayload(
  csr: Uint8Array,
  changes: Readonly<Record<string, unknown>> = {},
  of: HsmContext = context,
): Record<string, unknown> {
  return {
    aud: of.audience,
    purpose: of.purpose,
    context: of.contextId,
    nonce: Buffer.from(of.nonce).toString('base64url'),
    csrSha256: digestOf(csr),
    jkt: key.jkt,
    token,
    firmware: '7.3',
    attributes: goodAttributes,
    ...changes,
  }
}

/** Evidence that a host stated. */
export function declaredEvidence(
  changes: Readonly<Record<string, unknown>> = {},
  made: { header?: Record<string, unknown>; by?: TestKey; signer?: TestKey } = {},
): HsmEvidence {
  const { by = attestationKey, signer = key } = made
  const csr = certificationRequest(signer)
  const header = {
    typ: 'assay-hsm-statement+jwt',
    alg: by.jwk.crv === 'P-256' ? 'ES256' : 'ES384',
    kid: by.jkt,
    ...made.header,
  }
  const payload = statementPayload(csr, { jkt: signer.jkt, ...changes })
  const statement = Buffer.from(compactJws(header, payload, by))
  return completed('hsm-declared', { statement, csr }, signer)
}

/** Verifies Evidence of a format. Throws EvidenceError. */
export function verified(
  format: HsmFormatId,
  evidence: HsmEvidence,
  changes: Partial<HsmExpectations> = {},
): VerifiedHsmKey {
  return hsmFormats[format].verifyKey(evidence, { ...expectations, ...changes })
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url')
}
