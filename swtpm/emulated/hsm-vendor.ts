import { generateKeyPairSync, type KeyObject } from 'node:crypto'
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

/** A maker of emulated HSMs: a root, the authority of one product below it, and devices. */
export interface EmulatedHsmVendor {
  readonly root: EmulatedAuthority
  /** What an operator admits. */
  readonly product: EmulatedAuthority
  /** A device, whose certificate `edit` changes before it is signed. */
  createDevice(edit?: CertificateEdit): EmulatedHsm
}

/** A device that attests keys. */
export interface EmulatedHsm {
  readonly certificate: Uint8Array
  readonly authority: EmulatedAuthority
  /**
   * A certificate for a key, as a device writes one: without key identifiers, good for decades.
   *
   * @param extensions those of the vendor
   */
  attest(
    key: KeyObject,
    extensions: readonly ExtensionPart[],
    subject: string,
    edit?: CertificateEdit,
  ): Uint8Array
}

/**
 * Founds a vendor.
 *
 * @param now Unix milliseconds
 */
export function createEmulatedHsmVendor(now: number, name: string): EmulatedHsmVendor {
  const root = createAuthority(`${name} root`, now)
  const product = createAuthority(`${name} attestation`, now, root)
  return { root, product, createDevice: edit => createDevice(product, name, now, edit) }
}

/** Real devices' own certificates say that they are authorities, and no more. */
function createDevice(
  product: EmulatedAuthority,
  vendor: string,
  now: number,
  edit: CertificateEdit = parts => parts,
): EmulatedHsm {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = distinguishedName(`${vendor} device`)
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const basic = {
    oid: oids.basicConstraints,
    critical: true,
    value: der.sequence(der.booleanTrue, der.smallInteger(0)),
  }
  const parts = certificateParts(product, { subject: name, spki, extensions: [basic] }, now)
  const certificate = signCertificate(edit(parts), product.privateKey)
  const authority = { certificate, name, privateKey, publicKey }
  return {
    certificate,
    authority,
    attest: (key, extensions, subject, change = made => made) => {
      const own = {
        subject: distinguishedName(subject),
        spki: key.export({ format: 'der', type: 'spki' }),
        extensions,
      }
      const made = certificateParts(authority, own, now)
      return signCertificate(change({ ...made, extensions }), privateKey)
    },
  }
}

/** What a YubiHSM 2 says of a key; each member may be said wrongly. */
export interface YubiHsmAttestation {
  readonly firmware: readonly number[]
  readonly serial: number
  readonly origin: number
  readonly domains: number
  readonly capabilities: bigint
  readonly objectId: number
}

/** An attestation of a key that was made in the device, on firmware that is good. */
export const goodYubiHsm: YubiHsmAttestation = {
  firmware: [2, 4, 0],
  serial: 7_550_054,
  origin: 0x01,
  domains: 0x0001,
  capabilities: 1n << 7n,
  objectId: 0x0102,
}

/** The extensions of such an attestation. */
export function yubiHsmExtensions(changes: Partial<YubiHsmAttestation> = {}): ExtensionPart[] {
  const said = { ...goodYubiHsm, ...changes }
  const capabilities = Buffer.alloc(8)
  capabilities.writeBigUInt64BE(said.capabilities)
  const values: readonly (readonly [number, Uint8Array])[] = [
    [1, der.octetString(Uint8Array.from(said.firmware))],
    [2, numberOf(said.serial)],
    [3, der.bitString(Uint8Array.of(said.origin))],
    [4, der.bitString(Uint8Array.of(said.domains >> 8, said.domains & 0xff))],
    [5, der.bitString(capabilities)],
    [6, numberOf(said.objectId)],
    [9, der.utf8String('label of nobody in particular')],
  ]
  return values.map(([arc, value]) => extensionOf(`1.3.6.1.4.1.41482.4.${arc}`, value))
}

/** What a YubiKey says of a key in one of its PIV slots. */
export interface YubiKeyAttestation {
  readonly firmware: readonly number[]
  readonly serial: number
  readonly policies: readonly number[]
  readonly formFactor: readonly number[]
}

export const goodYubiKey: YubiKeyAttestation = {
  firmware: [5, 7, 1],
  serial: 31_234_567,
  policies: [2, 1],
  formFactor: [0x03],
}

/** The extensions of such an attestation. */
export function yubiKeyExtensions(changes: Partial<YubiKeyAttestation> = {}): ExtensionPart[] {
  const said = { ...goodYubiKey, ...changes }
  const values: readonly (readonly [number, Uint8Array])[] = [
    [3, Uint8Array.from(said.firmware)],
    [7, numberOf(said.serial)],
    [8, Uint8Array.from(said.policies)],
    [9, Uint8Array.from(said.formFactor)],
  ]
  return values.map(([arc, value]) => extensionOf(`1.3.6.1.4.1.41482.3.${arc}`, value))
}

function numberOf(value: number): Uint8Array {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(value)
  return der.unsignedInteger(octets)
}

function extensionOf(oid: string, value: Uint8Array): ExtensionPart {
  return { oid, critical: false, value }
}
