import { createHash } from 'node:crypto'
import { hashAlgorithm, TPM_ALG } from '../../src/core/tpm/algorithm.ts'
import {
  encodeTpmsAttest,
  TPM_GENERATED_VALUE,
  TPM_ST_ATTEST,
  type ClockInfo,
  type TpmsAttest,
} from '../../src/core/tpm/attest.ts'
import type { TpmtPublic } from '../../src/core/tpm/public.ts'
import {
  attestationKeyTemplate,
  endorsementTemplates,
  storageRootTemplate,
  subjectKeyTemplate,
  type EndorsementTemplate,
} from '../../src/core/tpm/templates.ts'
import type { CertificateEdit } from './certificate.ts'
import { createEmulatedKey, signAsTpm, type Above, type EmulatedKey } from './key.ts'
import type { EmulatedManufacturer } from './manufacturer.ts'

/** What an emulated TPM is made of. */
export interface EmulatedTpmOptions {
  readonly manufacturer: EmulatedManufacturer
  /** Template of the endorsement key; `L-2`, P-256, where not said: RSA keys take a second to make. */
  readonly endorsement?: EndorsementTemplate['name']
  readonly editCertificate?: CertificateEdit
  /** TPMT_PUBLIC or parsed form of the attestation key; the host tool's where not said. */
  readonly attestationTemplate?: Uint8Array | TpmtPublic
  readonly editAttestationKey?: (area: TpmtPublic) => TpmtPublic
  readonly attestationAbove?: Above
}

/** How an attestation is changed: its members or bytes before it is signed, or who signs. */
export interface AttestationEdit {
  readonly attest?: (attest: TpmsAttest) => TpmsAttest
  readonly bytes?: (attest: Uint8Array) => Uint8Array
  readonly signer?: EmulatedKey
  readonly signature?: (signature: Uint8Array) => Uint8Array
}

/** A TPMS_ATTEST with its TPMT_SIGNATURE. */
export interface EmulatedAttestation {
  readonly attest: Uint8Array
  readonly signature: Uint8Array
}

/**
 * A TPM of ordinary keys in this process. It answers as a TPM does, and can be told to answer as none would: every
 * field of what it attests is open to change *before* it is signed. For tests, the bench and the attack kit; it proves
 * nothing about hardware.
 */
export class EmulatedTpm {
  readonly manufacturer: EmulatedManufacturer
  readonly endorsementKey: EmulatedKey
  readonly endorsementCertificate: Uint8Array
  readonly attestationKey: EmulatedKey
  readonly storageRoot: EmulatedKey
  /** SHA-256 bank by PCR number. */
  readonly pcrs: Map<number, Uint8Array> = new Map()
  /** What the machine around it logged of its boot, as its kernel shows it; see `playBoot`. */
  logs: { readonly eventLog?: Uint8Array; readonly imaLog?: Uint8Array } = {}
  clockInfo: ClockInfo = { clock: 1_000_000n, resetCount: 7, restartCount: 0, safe: true }
  firmwareVersion = 0x2019_1023_0016_3636n

  constructor(options: EmulatedTpmOptions) {
    const { manufacturer, endorsement = 'L-2', attestationAbove = 'endorsement' } = options
    const template = endorsementTemplates.find(row => row.name === endorsement)
    if (template === undefined) throw new TypeError(`no such template: ${endorsement}`)
    this.manufacturer = manufacturer
    this.endorsementKey = createEmulatedKey(template.public, 'endorsement')
    this.endorsementCertificate = manufacturer.certify(
      this.endorsementKey.publicKey,
      options.editCertificate,
    )
    this.attestationKey = createEmulatedKey(
      options.attestationTemplate ?? attestationKeyTemplate(new Uint8Array(32)),
      attestationAbove,
      options.editAttestationKey,
    )
    this.storageRoot = createEmulatedKey(storageRootTemplate(), 'owner')
    for (let pcr = 0; pcr < 24; pcr += 1) this.pcrs.set(pcr, new Uint8Array(32))
  }

  /** TPM2_Create below the storage root, or elsewhere. */
  createSubjectKey(
    edit?: (area: TpmtPublic) => TpmtPublic,
    above: Above = this.storageRoot,
  ): EmulatedKey {
    return createEmulatedKey(subjectKeyTemplate(), above, edit)
  }

  /** TPM2_PCR_Extend of the SHA-256 bank. */
  extend(pcr: number, digest: Uint8Array): void {
    const before = this.pcrs.get(pcr) ?? new Uint8Array(32)
    this.pcrs.set(pcr, createHash('sha256').update(before).update(digest).digest())
  }

  /** A TPM Reset: one more, and the restart counter begins again. */
  reset(): void {
    const { clock, resetCount } = this.clockInfo
    this.clockInfo = { clock: clock + 1n, resetCount: resetCount + 1, restartCount: 0, safe: true }
  }

  /** TPM2_Certify of a key by the attestation key. */
  certify(
    key: EmulatedKey,
    extraData: Uint8Array,
    edit: AttestationEdit = {},
  ): EmulatedAttestation {
    const { name, qualifiedName } = key
    return this.#attest(extraData, { type: TPM_ST_ATTEST.certify, name, qualifiedName }, edit)
  }

  /** TPM2_Quote of the SHA-256 bank. */
  quote(
    pcrs: readonly number[],
    extraData: Uint8Array,
    edit: AttestationEdit = {},
  ): EmulatedAttestation {
    const { scheme } = (edit.signer ?? this.attestationKey).area
    const hash = createHash(hashAlgorithm(scheme?.hash ?? TPM_ALG.SHA256).name)
    for (const pcr of pcrs) hash.update(this.pcrs.get(pcr) ?? new Uint8Array(32))
    const pcrSelect = [{ hash: TPM_ALG.SHA256, pcrs }]
    const attested = { type: TPM_ST_ATTEST.quote, pcrSelect, pcrDigest: hash.digest() }
    return this.#attest(extraData, attested, edit)
  }

  #attest(
    extraData: Uint8Array,
    attested: TpmsAttest['attested'],
    edit: AttestationEdit,
  ): EmulatedAttestation {
    const signer = edit.signer ?? this.attestationKey
    this.clockInfo = { ...this.clockInfo, clock: this.clockInfo.clock + 1n }
    const attest: TpmsAttest = {
      magic: TPM_GENERATED_VALUE,
      qualifiedSigner: signer.qualifiedName,
      extraData,
      clockInfo: this.clockInfo,
      firmwareVersion: this.firmwareVersion,
      attested,
    }
    const encoded = encodeTpmsAttest(edit.attest?.(attest) ?? attest)
    const bytes = edit.bytes?.(encoded) ?? encoded
    const signature = signAsTpm(signer, bytes)
    return { attest: bytes, signature: edit.signature?.(signature) ?? signature }
  }
}
