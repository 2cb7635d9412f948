import { TAG } from '../../../der/tag.ts'
import { readOctetBits, readUnsigned } from '../../../der/value.ts'
import { DerReader } from '../../../der/reader.ts'
import type { CheckRecorder } from '../../../verifier/check.ts'
import type { Certificate } from '../../../x509/certificate.ts'
import { requireFirmware, type WeakFirmware } from '../firmware.ts'
import { decimalOf, readExtension, versionOf, type AttestationVendor } from '../vendor.ts'

const arc = '1.3.6.1.4.1.41482.4'

/** YSA-2024-03 (EUCLEAK): an ECDSA key can be read by who has the device in hand. */
const weakFirmware: readonly WeakFirmware[] = [
  { code: 'hsm-firmware', from: '0.0.0', until: '2.4.0' },
]

/** Origins: generated inside, imported, and wrapped into the device, whatever it was before. */
const origins = { generated: 0x01, wrapped: 0x10 } as const

/** Numbers of capabilities (YubiHSM 2 Concepts, Capability). */
const capabilities = { signEcdsa: 7n, exportableUnderWrap: 16n } as const

/**
 * YubiHSM 2: a certificate whose extensions hold DER values. Its label is whatever somebody called the key, and is not
 * looked at.
 *
 * @see Yubico, YubiHSM 2 Concepts, Attestation; verification section 15
 */
export const yubihsm2: AttestationVendor = {
  id: 'yubihsm2',
  manufacturer: 'Yubico (www.yubico.com)',
  verify(checks, key) {
    verifyOrigin(checks, key)
    verifyCapabilities(checks, key)
    const firmware = readExtension(checks, key, `${arc}.1`, readVersion)
    requireFirmware(checks, firmware, weakFirmware)
    return {
      model: 'YubiHSM',
      serial: readExtension(checks, key, `${arc}.2`, readNumber),
      firmware,
      properties: {
        domains: readExtension(checks, key, `${arc}.4`, readDomains),
        'object-id': readExtension(checks, key, `${arc}.6`, readNumber),
      },
    }
  },
}

function verifyOrigin(checks: CheckRecorder, key: Certificate): void {
  const origin = readExtension(checks, key, `${arc}.3`, value => readBits(value, 1))
  const found = `origin 0x${origin.toString(16).padStart(2, '0')}`
  const isWrapped = (Number(origin) & origins.wrapped) !== 0
  checks.require(!isWrapped, 'hsm-wrapped', { expected: 'origin 0x01', found })
  const isBorn = Number(origin) === origins.generated
  checks.require(isBorn, 'hsm-not-local', { expected: 'origin 0x01', found })
}

/** One capability and no other; the one that lets a key out has a code of its own. */
function verifyCapabilities(checks: CheckRecorder, key: Certificate): void {
  const found = readExtension(checks, key, `${arc}.5`, value => readBits(value, 8))
  const isExportable = (found >> capabilities.exportableUnderWrap) & 1n
  checks.require(isExportable === 0n, 'hsm-extractable', { found: 'exportable-under-wrap' })
  checks.require(found === 1n << capabilities.signEcdsa, 'hsm-capabilities', {
    expected: 'sign-ecdsa alone',
    found: `0x${found.toString(16).padStart(16, '0')}`,
  })
}

function readVersion(value: Uint8Array): string | undefined {
  return versionOf(only(value, reader => reader.contents(TAG.octetString)))
}

function readNumber(value: Uint8Array): string {
  return decimalOf(only(value, readUnsigned))
}

/** Domains 1 to 16, lowest bit first, as numbers with blanks between. */
function readDomains(value: Uint8Array): string | undefined {
  const bits = readBits(value, 2)
  if (bits === undefined) return undefined
  const numbers = Array.from({ length: 16 }, (_, index) => index + 1)
  return numbers.filter(number => (Number(bits) >> (number - 1)) & 1).join(' ')
}

/** A BIT STRING of so many octets as a big-endian number. */
function readBits(value: Uint8Array, octets: number): bigint | undefined {
  const bits = only(value, readOctetBits)
  return bits.length === octets ? BigInt(`0x${Buffer.from(bits).toString('hex')}`) : undefined
}

function only<T>(value: Uint8Array, read: (reader: DerReader) => T): T {
  const reader = new DerReader(value)
  const found = read(reader)
  reader.finish()
  return found
}
