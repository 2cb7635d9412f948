import { createHash } from 'node:crypto'
import { encode } from 'cborg'
import * as der from '../../../src/core/der/writer.ts'
import { curveOf, TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import type { Scheme, TpmtPublic } from '../../../src/core/tpm/public.ts'
import { parseTpmtSignature } from '../../../src/core/tpm/signature.ts'
import { encodeEcdsaValue } from '../../../src/core/jose/ecdsa.ts'
import { parseTrustAnchor } from '../../../src/core/verifier/trust-anchor.ts'
import {
  verifyTpmAttestation,
  type StatementExpectations,
  type VerifiedTpmStatement,
} from '../../../src/core/webauthn/tpm-attestation.ts'
import {
  certificateParts,
  distinguishedName,
  oids,
  signCertificate,
  type CertificateEdit,
} from '../../../swtpm/emulated/certificate.ts'
import { EmulatedTpm, type AttestationEdit } from '../../../swtpm/emulated/emulated-tpm.ts'
import { createEmulatedKey, type EmulatedKey } from '../../../swtpm/emulated/key.ts'
import {
  createEmulatedManufacturer,
  purpose,
  tpmNames,
} from '../../../swtpm/emulated/manufacturer.ts'
import { rsaArea } from '../tpm/structures.ts'
import { refusalOf } from '../verifier/fixtures.ts'
import { intermediate, now, root } from '../x509/fixtures.ts'

const vendor = 'id:00001014'
export const tpm: EmulatedTpm = new EmulatedTpm({ manufacturer: createEmulatedManufacturer(now) })

/** Attestation keys of the kinds that there are, made once. */
export const attestationKeys: Readonly<Record<'ecdsa' | 'rsassa' | 'rsapss', EmulatedKey>> = {
  ecdsa: tpm.attestationKey,
  rsassa: rsaKey({ scheme: TPM_ALG.RSASSA, hash: TPM_ALG.SHA256 }),
  rsapss: rsaKey({ scheme: TPM_ALG.RSAPSS, hash: TPM_ALG.SHA256 }),
}

function rsaKey(scheme: Scheme): EmulatedKey {
  return createEmulatedKey({ ...rsaArea, authPolicy: new Uint8Array(), scheme }, 'endorsement')
}

const algorithms: Readonly<Record<number, number>> = {
  [TPM_ALG.ECDSA]: -7,
  [TPM_ALG.RSASSA]: -257,
  [TPM_ALG.RSAPSS]: -37,
}

export const clientDataHash: Uint8Array = createHash('sha256').update('client data').digest()
export const aaguid: Uint8Array = Buffer.from('08987058cadc4b81b6e130de50dcbe96', 'hex')
export const keyAuthorization = 'token.thumbprint'

type Members = Readonly<Record<string, unknown>>

/** What is different about a statement; everything that is not named is as it should be. */
export interface StatementEdit {
  readonly signer?: EmulatedKey
  readonly subject?: EmulatedKey
  readonly certificate?: CertificateEdit
  readonly certify?: AttestationEdit
  readonly coseKey?: (key: ReadonlyMap<number, unknown>) => ReadonlyMap<unknown, unknown>
  readonly authData?: (bytes: Uint8Array) => Uint8Array
  readonly attStmt?: (members: Members) => Members
  readonly object?: (members: Members) => Members
  readonly form?: 'tpmt' | 'bare'
  /** What it is bound to, where it is not the credential. */
  readonly keyAuthorization?: string
}

/** An attestation object, CBOR. */
export function statementOf(edit: StatementEdit = {}): Uint8Array {
  const signer = edit.signer ?? attestationKeys.ecdsa
  const subject = edit.subject ?? tpm.createSubjectKey()
  const plain = authenticatorData(subject, edit.coseKey)
  const authData = edit.authData?.(plain) ?? plain
  const bound = edit.keyAuthorization ?? Buffer.concat([authData, clientDataHash])
  const qualifying = createHash('sha256').update(bound).digest()
  const certify = tpm.certify(subject, qualifying, { signer, ...edit.certify })
  const attStmt = {
    ver: '2.0',
    alg: algorithms[signer.area.scheme?.scheme ?? 0],
    x5c: [attestationCertificate(signer, edit.certificate), intermediate.certificate],
    sig: edit.form === 'bare' ? bareSignature(certify.signature) : certify.signature,
    certInfo: certify.attest,
    pubArea: subject.public,
  }
  const object = { fmt: 'tpm', attStmt: edit.attStmt?.(attStmt) ?? attStmt, authData }
  return encode(edit.object?.(object) ?? object)
}

function bareSignature(signature: Uint8Array): Uint8Array {
  const parsed = parseTpmtSignature(signature)
  if (parsed.algorithm !== TPM_ALG.ECDSA) return parsed.value
  return encodeEcdsaValue(Buffer.concat([parsed.r, parsed.s]))
}

/** As an authority of attestation keys issues it, below the intermediate of the X.509 tests. */
export function attestationCertificate(
  { publicKey }: EmulatedKey,
  edit: CertificateEdit = parts => parts,
): Uint8Array {
  const extensions = [
    { oid: oids.subjectAlternativeName, critical: true, value: tpmNames(vendor) },
    { oid: oids.basicConstraints, critical: true, value: der.sequence() },
    { oid: oids.keyUsage, critical: true, value: der.namedBits(0x80) },
    { oid: oids.extendedKeyUsage, critical: false, value: purpose('2.23.133.8.3') },
  ]
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const subject = { subject: distinguishedName(), spki, extensions }
  return signCertificate(
    edit(certificateParts(intermediate, subject, now)),
    intermediate.privateKey,
  )
}

function authenticatorData(subject: EmulatedKey, edit: StatementEdit['coseKey']): Uint8Array {
  const key = coseKeyOf(subject.area)
  const rpIdHash = createHash('sha256').update('example.org').digest()
  const counter = Buffer.from('00000005', 'hex')
  const credentialId = Buffer.from('00046964656e', 'hex')
  const head = [rpIdHash, Uint8Array.of(0x45), counter, aaguid, credentialId]
  return Buffer.concat([...head, encode(edit?.(key) ?? key)])
}

/** COSE_Key (RFC 9053 §7.1.1, RFC 8230 §4). */
export function coseKeyOf(area: TpmtPublic): ReadonlyMap<number, unknown> {
  if (area.type === TPM_ALG.RSA) {
    const exponent = Uint8Array.of(1, 0, 1)
    return new Map<number, unknown>([
      [1, 3],
      [3, -257],
      [-1, area.modulus],
      [-2, exponent],
    ])
  }
  const curve = curveOf(area.curveId)?.id ?? 0
  const alg = { 3: -7, 4: -35, 5: -36 }[curve]
  return new Map<number, unknown>([
    [1, 2],
    [3, alg],
    [-1, curve - 2],
    [-2, area.x],
    [-3, area.y],
  ])
}

export const anchor = parseTrustAnchor(
  root.certificate,
  { name: 'attestation authority', vendor, assurance: 'emulated' },
  new Date(now),
)

export const expected: StatementExpectations = {
  binding: { kind: 'credential', clientDataHash },
  signatureForm: 'tpmt',
  keyKinds: ['ec', 'rsa'],
  anchors: [anchor],
  now: new Date(now),
}

/** Verifies a statement made with an edit, under expectations that may differ. */
export function verify(
  edit: StatementEdit = {},
  change: Partial<StatementExpectations> = {},
): VerifiedTpmStatement {
  return verifyTpmAttestation(statementOf(edit), { ...expected, ...change })
}

/** The code with which a statement is refused. */
export function refusal(
  edit: StatementEdit = {},
  change: Partial<StatementExpectations> = {},
): string {
  return refusalOf(() => verify(edit, change))
}
