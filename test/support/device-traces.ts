import { createHash } from 'node:crypto'
import { encodeTpmtPublic, nameOf } from '../../src/core/tpm/public.ts'
import { parseCertificate } from '../../src/core/x509/certificate.ts'
import type { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'

/** One way in which one fact that identifies a device could be written. */
export interface Trace {
  readonly what: string
  readonly text: string
}

/** What a TPM could be known again by anywhere: bytes by what they are. */
function identifyingBytes(tpm: EmulatedTpm): [what: string, bytes: Uint8Array][] {
  const { endorsementKey, endorsementCertificate, attestationKey, storageRoot } = tpm
  const { fields } = parseCertificate(endorsementCertificate)
  const spki = endorsementKey.publicKey.export({ format: 'der', type: 'spki' })
  const whole: [string, Uint8Array][] = [
    ['EK certificate', endorsementCertificate],
    ['signed part of the EK certificate', fields.signed],
    ['SPKI of the EK', spki],
    ['key bits of the EK', fields.keyBits],
    ['public area of the EK', endorsementKey.public],
    ['public area of the AK', attestationKey.public],
    ['public area of the storage root', encodeTpmtPublic(storageRoot.area)],
    ['issuer of the EK certificate', tpm.manufacturer.issuer.certificate],
  ]
  return [
    ...whole,
    ['serial number of the EK certificate', fields.serialNumber],
    ['signature of the EK certificate', fields.signature],
    ...whole.map(([what, bytes]): [string, Uint8Array] => [
      `SHA-256 of the ${what}`,
      digest(bytes),
    ]),
    ...whole.map(([what, bytes]): [string, Uint8Array] => [
      `SHA-1 of the ${what}`,
      digest(bytes, 'sha1'),
    ]),
    ['Name of the storage root', nameOf(encodeTpmtPublic(storageRoot.area)).subarray(2)],
  ]
}

function digest(bytes: Uint8Array, algorithm = 'sha256'): Uint8Array {
  return createHash(algorithm).update(bytes).digest()
}

/** Each fact that identifies a TPM in hexadecimal, decimal, and both base64 wherever it may begin within other bytes. */
export function tracesOf(tpm: EmulatedTpm): Trace[] {
  return identifyingBytes(tpm).flatMap(([what, bytes]) =>
    writtenForms(bytes).map(text => ({ what, text: text.toLowerCase() })),
  )
}

function writtenForms(bytes: Uint8Array): string[] {
  const hex = Buffer.from(bytes).toString('hex')
  const spaced = hex.replaceAll(/(..)(?!$)/g, '$1:')
  return [hex, spaced, BigInt(`0x${hex}`).toString(), ...base64Forms(bytes)]
}

/** The characters that belong to these bytes alone, for each of the three places in a group where they may begin. */
function base64Forms(bytes: Uint8Array): string[] {
  return [0, 1, 2].flatMap(before => {
    const shifted = Buffer.concat([Buffer.alloc(before), bytes])
    const first = before === 0 ? 0 : before + 1
    const last = Math.floor((shifted.length * 8) / 6)
    return (['base64', 'base64url'] as const).map(form => shifted.toString(form).slice(first, last))
  })
}

/** Which traces are in a text, also in the bytes of base64url within it; letters in either case. */
export function tracesIn(text: string, traces: readonly Trace[]): string[] {
  const inside = [...text.matchAll(/[\w-]{16,}/g)].map(([word]) =>
    Buffer.from(word, 'base64url').toString('latin1'),
  )
  const all = [text, ...inside].join('\n').toLowerCase()
  return [...new Set(traces.filter(trace => all.includes(trace.text)).map(({ what }) => what))]
}
