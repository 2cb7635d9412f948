import { parseDer } from '../der/reader.ts'
import { TAG } from '../der/tag.ts'
import { textOf } from '../der/text.ts'
import { readObjectIdentifier } from '../der/value.ts'
import type { GeneralName } from '../x509/general-name.ts'

/** Which device a certificate is of, in the two ways that ACME knows. Object identifiers in dotted decimal. */
export type DeviceIdentifier =
  | {
      readonly kind: 'permanent-identifier'
      readonly value: string | undefined
      readonly assigner: string | undefined
    }
  | { readonly kind: 'hardware-module'; readonly type: string; readonly serial: Uint8Array }

const readers: Readonly<Record<string, (value: Uint8Array) => DeviceIdentifier>> = {
  '1.3.6.1.5.5.7.8.3': readPermanentIdentifier,
  '1.3.6.1.5.5.7.8.4': readHardwareModule,
}

/**
 * The identifiers of the device among the alternative names of a certificate.
 *
 * @throws DerError
 * @see draft-ietf-acme-device-attest-09 §3, §4
 */
export function deviceIdentifiersOf(names: readonly GeneralName[]): DeviceIdentifier[] {
  return names.flatMap(name => {
    const read = name.kind === 'other' ? readers[name.type] : undefined
    return name.kind === 'other' && read !== undefined ? [read(name.value)] : []
  })
}

/** PermanentIdentifier ::= SEQUENCE { identifierValue UTF8String OPTIONAL, assigner OBJECT IDENTIFIER OPTIONAL } (RFC 4043 §2). */
function readPermanentIdentifier(encoded: Uint8Array): DeviceIdentifier {
  return parseDer(encoded, TAG.sequence, reader => {
    const isNamed = reader.isNext(TAG.utf8String)
    const value = isNamed ? textOf(TAG.utf8String, reader.contents(TAG.utf8String)) : undefined
    const assigner = reader.isAtEnd ? undefined : readObjectIdentifier(reader)
    return { kind: 'permanent-identifier', value, assigner }
  })
}

/** HardwareModuleName ::= SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING } (RFC 4108 §5). */
function readHardwareModule(encoded: Uint8Array): DeviceIdentifier {
  return parseDer(encoded, TAG.sequence, reader => ({
    kind: 'hardware-module',
    type: readObjectIdentifier(reader),
    serial: reader.contents(TAG.octetString),
  }))
}

/** Whether two identifiers are of the same device: octet for octet, without any normalization. */
export function isSameDevice(left: DeviceIdentifier, right: DeviceIdentifier): boolean {
  if (left.kind === 'permanent-identifier') {
    const isSame = right.kind === left.kind && right.value === left.value
    return isSame && right.assigner === left.assigner
  }
  const isSameType = right.kind === left.kind && right.type === left.type
  return isSameType && Buffer.compare(left.serial, right.serial) === 0
}
