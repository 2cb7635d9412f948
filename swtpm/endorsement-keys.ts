import { X509Certificate } from 'node:crypto'
import { Hierarchy, Tpm } from '../native/index.ts'
import { certify } from './manufacturer.ts'
import type { Manufacturer } from './manufacturer.ts'

/** Endorsement keys that a TPM can be given beside the RSA-2048 (L-1) and P-384 (H-3) ones that swtpm_setup makes. */
export type EndorsementKeyType = 'ecc-p256' | 'rsa-3072'

interface EndorsementKeyRow {
  /** TPMT_PUBLIC: TCG EK Credential Profile 2.5 §B.3.4 and §B.4. */
  readonly template: string
  /** Where the certificate lies: §2.2.1.4 (low range), §2.2.1.5 (high range). */
  readonly certificateIndex: number
  /** The key in the words of swtpm_localca. */
  readonly describe: (unique: Buffer) => string
}

const policyA = '837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa'
const policyB384 =
  'b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12'
const zeros = (octets: number): string => '00'.repeat(octets)

const rows: Readonly<Record<EndorsementKeyType, EndorsementKeyRow>> = {
  // L-2: ECC P-256, AES-128-CFB, PolicyA, unique zero-filled.
  'ecc-p256': {
    template: `0023000b000300b20020${policyA}0006008000430010000300100020${zeros(32)}0020${zeros(32)}`,
    certificateIndex: 0x01c0000a,
    describe: unique => {
      const x = unique.subarray(2, 2 + unique.readUInt16BE())
      const y = unique.subarray(2 + x.length + 2)
      return `x=${x.toString('hex')},y=${y.toString('hex')},id=secp256r1`
    },
  },
  // H-6: RSA-3072, SHA-384, AES-256-CFB, PolicyB, unique empty.
  'rsa-3072': {
    template: `0001000c000300f20030${policyB384}00060100004300100c00000000000000`,
    certificateIndex: 0x01c0001c,
    describe: unique => unique.subarray(2).toString('hex'),
  },
}

/**
 * Makes one more endorsement key of a running TPM and stores a certificate for it, as its maker would: the index
 * belongs to the platform.
 *
 * @throws {Tpm2Error} when the TPM refuses
 * @throws {EmulatorError} emulator-failed
 */
export async function addEndorsementKey(
  tcti: string,
  type: EndorsementKeyType,
  manufacturer: Manufacturer,
  dir: string,
): Promise<void> {
  const row = rows[type]
  const template = Buffer.from(row.template, 'hex')
  await using tpm = await Tpm.open(tcti)
  const created = await tpm.createPrimary({ hierarchy: Hierarchy.endorsement, public: template })
  await tpm.flush(created.handle)
  const unique = Buffer.from(created.public).subarray(uniqueOffset(template))
  const certificate = await certify(manufacturer, row.describe(unique), dir)
  await storeCertificate(tpm, row.certificateIndex, certificate)
}

/** The first index for certificates between endorsement keys and their root: TCG EK Credential Profile 2.5 §2.2.1.5. */
const chainIndex = 0x01c00100

/**
 * Stores the certificate of the manufacturer's issuer where a host looks for it.
 *
 * @throws {Tpm2Error} when the TPM refuses
 */
export async function storeIssuer(tcti: string, manufacturer: Manufacturer): Promise<void> {
  await using tpm = await Tpm.open(tcti)
  const { raw } = new X509Certificate(manufacturer.issuerCertificate)
  await storeCertificate(tpm, chainIndex, raw)
}

/** TPM2_NV_Write takes no more than this at once where a TPM says nothing else (TPM_PT_NV_BUFFER_MAX). */
const writeLimit = 512

/** Defines an index of the platform and writes a certificate into it. */
export async function storeCertificate(
  tpm: Tpm,
  index: number,
  certificate: Uint8Array,
): Promise<void> {
  // TPMS_NV_PUBLIC: nvIndex, nameAlg SHA-256, attributes as swtpm_setup has them, no policy, dataSize.
  const area = Buffer.alloc(14)
  area.writeUInt32BE(index, 0)
  area.writeUInt16BE(0x000b, 4)
  area.writeUInt32BE(0x42072001, 6) // PLATFORMCREATE, NO_DA, AUTHREAD, OWNERREAD, PPREAD, WRITEDEFINE, PPWRITE
  area.writeUInt16BE(certificate.length, 12)
  await tpm.nvDefineSpace({ public: area, hierarchy: Hierarchy.platform })
  for (let offset = 0; offset < certificate.length; offset += writeLimit) {
    const data = certificate.subarray(offset, offset + writeLimit)
    await tpm.nvWrite({ index, authorization: Hierarchy.platform, offset, data })
  }
}

// type, nameAlg, objectAttributes, authPolicy, then parameters of eight octets: symmetric (6) and scheme (2), and for
// ECC curve and kdf, for RSA keyBits and exponent.
function uniqueOffset(template: Buffer): number {
  const isEcc = template.readUInt16BE() === 0x0023
  return 10 + template.readUInt16BE(8) + 8 + (isEcc ? 4 : 6)
}
