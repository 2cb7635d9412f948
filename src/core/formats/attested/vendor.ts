import type { DerReader } from '../../der/reader.ts'
import type { CheckRecorder } from '../../verifier/check.ts'
import type { Certificate } from '../../x509/certificate.ts'
import type { HsmProperty } from '../hsm/verified.ts'

/** What an attestation says of its key and device, once the vendor's module has found it good. */
export interface AttestedDevice {
  /** As the PKCS#11 module of the device writes it. */
  readonly model: string
  readonly serial: string
  /** Dotted. */
  readonly firmware: string
  readonly properties: Readonly<Partial<Record<HsmProperty, string>>>
}

/**
 * One vendor's key attestation: what stands in the certificates that its devices sign. A further vendor is one file and
 * a row of the table; the path to the vendor's authority is everybody's and verified before this is asked.
 */
export interface AttestationVendor {
  /** Its name in requests, and the label of its trust anchors. */
  readonly id: string
  /** CK_TOKEN_INFO.manufacturerID of its devices. */
  readonly manufacturer: string
  /**
   * Holds the attestation of a key against the vendor's rules.
   *
   * @param key certificate of the key, signed by the device
   * @param device certificate of the device, signed by the vendor
   * @throws EvidenceError `hsm-…`
   */
  verify(checks: CheckRecorder, key: Certificate, device: Certificate): AttestedDevice
}

/**
 * The value of an extension that must be there.
 *
 * @throws EvidenceError `hsm-extension`
 */
export function requireExtension(
  checks: CheckRecorder,
  { fields }: Certificate,
  oid: string,
): Uint8Array {
  const extension = fields.rawExtensions.find(({ id }) => id === oid)
  if (extension === undefined) return checks.refuse('hsm-extension', { expected: oid })
  return extension.value
}

/**
 * A value inside an extension, read as it must be.
 *
 * @throws EvidenceError `hsm-extension`
 */
export function readExtension<T>(
  checks: CheckRecorder,
  certificate: Certificate,
  oid: string,
  read: (value: Uint8Array) => T | undefined,
): T {
  const value = requireExtension(checks, certificate, oid)
  const found = checks.attempt('hsm-extension', undefined, () => read(value))
  return found ?? checks.refuse('hsm-extension', { expected: oid, found: 'another value' })
}

/** The octets of an INTEGER of 0 or more, one at least, as decimal text. For {@link readExtension}. */
export function decimalOf(octets: Uint8Array): string {
  return BigInt(`0x${Buffer.from(octets).toString('hex')}`).toString()
}

/** Three octets as a dotted version; undefined for another number of them. */
export function versionOf(octets: Uint8Array): string | undefined {
  return octets.length === 3 ? octets.join('.') : undefined
}

/** What a module reads with; named here so that modules import one file. */
export type Reader = DerReader
