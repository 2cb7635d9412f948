import type { KeyObject } from 'node:crypto'
import * as der from '../../src/core/der/writer.ts'
import {
  certificateParts,
  createAuthority,
  distinguishedName,
  oids,
  signCertificate,
  type CertificateEdit,
  type EmulatedAuthority,
  type ExtensionPart,
} from './certificate.ts'

/** A maker of emulated TPMs: a root, an intermediate, and certificates for endorsement keys below it. */
export interface EmulatedManufacturer {
  /** TCG vendor id, as `id:00001014`. */
  readonly vendor: string
  readonly root: EmulatedAuthority
  readonly issuer: EmulatedAuthority
  /** A certificate for an endorsement key, DER; `edit` changes it before it is signed. */
  certify(publicKey: KeyObject, edit?: CertificateEdit): Uint8Array
}

/**
 * Founds a manufacturer.
 *
 * @param now Unix milliseconds
 */
export function createEmulatedManufacturer(
  now: number,
  vendor: string = 'id:00001014',
): EmulatedManufacturer {
  const root = createAuthority(`Emulated TPMs root ${vendor}`, now)
  const issuer = createAuthority(`Emulated TPMs issuer ${vendor}`, now, root)
  return {
    vendor,
    root,
    issuer,
    certify: (publicKey, edit = parts => parts) => {
      const subject = {
        subject: distinguishedName(),
        spki: publicKey.export({ format: 'der', type: 'spki' }),
        extensions: endorsementExtensions(vendor, publicKey.asymmetricKeyType === 'rsa'),
      }
      return signCertificate(edit(certificateParts(issuer, subject, now)), issuer.privateKey)
    },
  }
}

/** TCG EK Credential Profile v2.5 §3.2. */
function endorsementExtensions(vendor: string, isRsa: boolean): ExtensionPart[] {
  return [
    { oid: oids.subjectAlternativeName, critical: true, value: tpmNames(vendor) },
    { oid: oids.basicConstraints, critical: true, value: der.sequence() },
    // keyEncipherment for RSA, keyAgreement for ECC.
    { oid: oids.keyUsage, critical: true, value: der.namedBits(isRsa ? 0x20 : 0x08) },
    { oid: oids.extendedKeyUsage, critical: false, value: purpose('2.23.133.8.1') },
    { oid: oids.subjectDirectoryAttributes, critical: false, value: tpmSpecification('2.0') },
  ]
}

/** An extended key usage of one purpose. */
export function purpose(oid: string): Uint8Array {
  return der.sequence(der.objectIdentifier(oid))
}

/** GeneralNames of one directoryName: manufacturer, model, version. */
export function tpmNames(vendor: string, model = 'emulated', version = 'id:00010002'): Uint8Array {
  const attributes = [
    ['2.23.133.2.1', vendor],
    ['2.23.133.2.2', model],
    ['2.23.133.2.3', version],
  ] as const
  const names = attributes.map(([oid, text]) =>
    der.setOf(der.sequence(der.objectIdentifier(oid), der.utf8String(text))),
  )
  return der.sequence(der.contextConstructed(4, der.sequence(...names)))
}

/** SubjectDirectoryAttributes of one tpmSpecification. */
export function tpmSpecification(family: string): Uint8Array {
  const value = der.sequence(der.utf8String(family), der.smallInteger(0), der.smallInteger(100))
  return der.sequence(der.sequence(der.objectIdentifier('2.23.133.2.16'), der.setOf(value)))
}
