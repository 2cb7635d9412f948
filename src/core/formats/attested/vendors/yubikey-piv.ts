import { DerReader } from '../../../der/reader.ts'
import { readUnsigned } from '../../../der/value.ts'
import type { CheckRecorder } from '../../../verifier/check.ts'
import type { Certificate } from '../../../x509/certificate.ts'
import { requireFirmware, type WeakFirmware } from '../firmware.ts'
import { decimalOf, readExtension, versionOf, type AttestationVendor } from '../vendor.ts'

const arc = '1.3.6.1.4.1.41482.3'

/** CVE-2017-15361 by its own name; then YSA-2024-03 (EUCLEAK), which all before 5.7.0 have. */
const weakFirmware: readonly WeakFirmware[] = [
  { code: 'hsm-firmware-roca', from: '4.2.6', until: '4.3.5' },
  { code: 'hsm-firmware', from: '0.0.0', until: '5.7.0' },
]

const pinPolicies: Readonly<Record<number, string>> = { 1: 'never', 2: 'once', 3: 'always' }
const touchPolicies: Readonly<Record<number, string>> = { 1: 'never', 2: 'always', 3: 'cached' }

/** Form factors; 0x80 marks the FIPS series. */
const formFactors: Readonly<Record<number, string>> = {
  1: 'usb-a-keychain',
  2: 'usb-a-nano',
  3: 'usb-c-keychain',
  4: 'usb-c-nano',
  5: 'usb-c-lightning',
  6: 'usb-a-biometric',
  7: 'usb-c-biometric',
}

/** Slots of keys for signing: authentication, digital signature, card authentication, retired. */
const slots = /^(9a|9c|9e|8[2-9a-f]|9[0-5])$/

/**
 * PIV of a YubiKey 5: extensions hold bare octets, but for the serial number. Only keys that were made in the card can
 * be attested at all, so there is no origin to look at.
 *
 * @see Yubico, PIV attestation; verification section 15
 */
export const yubikeyPiv: AttestationVendor = {
  id: 'yubikey-piv',
  manufacturer: 'Yubico (www.yubico.com)',
  verify(checks, key) {
    const firmware = readExtension(checks, key, `${arc}.3`, versionOf)
    requireFirmware(checks, firmware, weakFirmware)
    const { pin, touch } = readExtension(checks, key, `${arc}.8`, readPolicies)
    return {
      model: 'YubiKey',
      serial: readExtension(checks, key, `${arc}.7`, readSerial),
      firmware,
      properties: {
        'pin-policy': pin,
        'touch-policy': touch,
        'form-factor': readExtension(checks, key, `${arc}.9`, readFormFactor),
        slot: readSlot(checks, key),
      },
    }
  },
}

function readSerial(value: Uint8Array): string {
  const reader = new DerReader(value)
  const number = readUnsigned(reader)
  reader.finish()
  return decimalOf(number)
}

function readPolicies(value: Uint8Array): { pin: string; touch: string } | undefined {
  const [pin, touch] = [pinPolicies[value[0] ?? 0], touchPolicies[value[1] ?? 0]]
  const isRight = value.length === 2 && pin !== undefined && touch !== undefined
  return isRight ? { pin, touch } : undefined
}

function readFormFactor(value: Uint8Array): string | undefined {
  const [octet = 0] = value
  const name = value.length === 1 ? formFactors[octet & 0x7f] : undefined
  if (name === undefined) return undefined
  return octet >= 0x80 ? `${name}-fips` : name
}

/** The card writes the slot into the name of the key's certificate, which it signs. */
function readSlot(checks: CheckRecorder, { fields }: Certificate): string {
  const names = fields.subject.relativeNames.flat().map(({ text = '' }) => text)
  const [, slot = ''] = /^YubiKey PIV Attestation ([0-9a-f]{2})$/.exec(names.join('')) ?? []
  checks.require(slots.test(slot), 'hsm-slot', { found: slot || 'none' })
  return slot
}
