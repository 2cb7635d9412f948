import { EVENT_TYPE } from '../../src/core/eventlog/event-type.ts'
import { variableVendor } from '../../src/core/uefi/guid.ts'
import { u16le, u32le, u64le, type MadeEvent } from './event-log.ts'

/** EFI_GUID of a text. */
export function guidBytes(guid: string): Uint8Array {
  const [a = '', b = '', c = '', d = '', e = ''] = guid.split('-')
  const swap = (hex: string): Buffer => Buffer.from(Buffer.from(hex, 'hex').toReversed())
  return Buffer.concat([swap(a), swap(b), swap(c), Buffer.from(d + e, 'hex')])
}

/** UTF-16, as UEFI writes text. */
export function wide(text: string): Uint8Array {
  return Buffer.from(text, 'utf16le')
}

/** EV_SEPARATOR. */
export function separator(pcr: number, word = 0): MadeEvent {
  return { pcr, type: EVENT_TYPE.SEPARATOR, data: u32le(word) }
}

/** EV_EFI_ACTION. */
export function action(pcr: number, text: string): MadeEvent {
  return { pcr, type: EVENT_TYPE.EFI_ACTION, data: Buffer.from(text) }
}

/** UEFI_VARIABLE_DATA. */
export function variableData(vendor: string, name: string, data: Uint8Array): Uint8Array {
  return Buffer.concat([
    guidBytes(vendor),
    u64le(name.length),
    u64le(data.length),
    wide(name),
    data,
  ])
}

/** A variable of the firmware's configuration, in PCR 7. */
export function variable(vendor: string, name: string, data: Uint8Array): MadeEvent {
  const type = EVENT_TYPE.EFI_VARIABLE_DRIVER_CONFIG
  return { pcr: 7, type, data: variableData(vendor, name, data) }
}

/** What an image was verified by, in PCR 7. */
export function authority(vendor: string, name: string, data: Uint8Array): MadeEvent {
  const type = EVENT_TYPE.EFI_VARIABLE_AUTHORITY
  return { pcr: 7, type, data: variableData(vendor, name, data) }
}

/** EFI_SIGNATURE_DATA. */
export function signatureData(owner: string, data: Uint8Array): Uint8Array {
  return Buffer.concat([guidBytes(owner), data])
}

/** EFI_SIGNATURE_LIST with entries of one size. */
export function signatureList(type: string, entries: readonly Uint8Array[]): Uint8Array {
  const size = entries[0]?.length ?? 0
  const head = [guidBytes(type), u32le(28 + size * entries.length), u32le(0), u32le(size)]
  return Buffer.concat([...head, ...entries])
}

/** GUIDs of what a list of signatures holds. */
export const signatureTypes = {
  x509: 'a5c059a1-94e4-4aa7-87b5-ab155c2bf072',
  sha256: 'c1c41626-504c-4092-aca9-41f936934328',
} as const

/** Who put the entries there. */
export const owner = '77fa9abd-0359-4d32-bd60-28f4e78f784b'
/** Bytes that begin as a certificate does; nothing here looks further. */
export const certificates = ['platform', 'vendor', 'distribution'].map(name =>
  Buffer.concat([Buffer.from('30820100', 'hex'), Buffer.alloc(256, name)]),
)
const [platformKey = Buffer.alloc(0), vendorKey = Buffer.alloc(0)] = certificates
/** The one entry of `db`. */
export const dbEntry = signatureData(owner, vendorKey)

/** UEFI_IMAGE_LOAD_EVENT with a device path of one file; the digest is that of `image`. */
export function image(path: string, content: string, pcr = 4): MadeEvent {
  const node = wide(`${path}\0`)
  const nodes = Buffer.concat([
    Uint8Array.of(4, 4),
    u16le(node.length + 4),
    node,
    Uint8Array.of(0x7f, 0xff, 4, 0),
  ])
  const data = Buffer.concat([u64le(0), u64le(0), u64le(0), u64le(nodes.length), nodes])
  return {
    pcr,
    type: EVENT_TYPE.EFI_BOOT_SERVICES_APPLICATION,
    data,
    measured: Buffer.from(content),
  }
}

/** A text that GRUB measures behind a label. */
export function grub(label: string, text: string): MadeEvent {
  const data = Buffer.from(`${label}${text}\0`)
  return { pcr: 8, type: EVENT_TYPE.IPL, data, measured: Buffer.from(text) }
}

/** A file that a loader measures by its content. */
export function file(name: string, content: string, pcr = 9): MadeEvent {
  const data = Buffer.from(`${name}\0`)
  return { pcr, type: EVENT_TYPE.IPL, data, measured: Buffer.from(content) }
}

/** A section of a unified kernel image: its name, then its content. */
export function section(name: string, content: string): MadeEvent[] {
  const data = wide(`${name}\0`)
  const event = { pcr: 11, type: EVENT_TYPE.IPL, data }
  return [
    { ...event, measured: Buffer.from(`${name}\0`) },
    { ...event, measured: Buffer.from(content) },
  ]
}

/** The command line as systemd-stub measures it. */
export function commandLine(text: string): MadeEvent {
  return { pcr: 12, type: EVENT_TYPE.IPL, data: wide(`${text}\0`) }
}

/** EV_EVENT_TAG; its digest is that of `content`. */
export function tagged(
  pcr: number,
  id: number,
  description: Uint8Array,
  content: string,
): MadeEvent {
  const data = Buffer.concat([u32le(id), u32le(description.length), description])
  return { pcr, type: EVENT_TYPE.EVENT_TAG, data, measured: Buffer.from(content) }
}

/** UEFI_GPT_DATA with partitions of these types. */
export function partitionTable(types: readonly string[]): MadeEvent {
  const entries = types.map(type => Buffer.concat([guidBytes(type), Buffer.alloc(112)]))
  const data = Buffer.concat([Buffer.alloc(92), u64le(types.length), ...entries])
  return { pcr: 5, type: EVENT_TYPE.EFI_GPT_EVENT, data }
}

/** What firmware says before it starts an application. */
export const calling = 'Calling EFI Application from Boot Option'
/** What firmware says when its boot services end. */
export const exits = ['Exit Boot Services Invocation', 'Exit Boot Services Returned with Success']

/** What PCR 7 holds before its separator. */
export function secureBoot(state: Uint8Array = Uint8Array.of(1)): MadeEvent[] {
  const { global, imageSecurity } = variableVendor
  const forbidden = [1, 2].map(fill => signatureData(owner, Buffer.alloc(32, fill)))
  return [
    variable(global, 'SecureBoot', state),
    variable(global, 'PK', signatureList(signatureTypes.x509, [signatureData(owner, platformKey)])),
    variable(global, 'KEK', signatureList(signatureTypes.x509, [dbEntry])),
    variable(imageSecurity, 'db', signatureList(signatureTypes.x509, [dbEntry])),
    variable(imageSecurity, 'dbx', signatureList(signatureTypes.sha256, forbidden)),
  ]
}

/** A whole boot by shim, GRUB and a kernel, without anything wrong. */
export function grubBoot(): MadeEvent[] {
  return [
    { pcr: 0, type: EVENT_TYPE.S_CRTM_VERSION, data: wide('Firmware 1.2\0') },
    file('volume', 'firmware volume', 0),
    ...secureBoot(),
    separator(7),
    image('\\driver.efi', 'option rom', 2),
    ...[0, 1, 2, 3, 4, 5, 6].map(pcr => separator(pcr)),
    action(4, calling),
    authority(variableVendor.imageSecurity, 'db', dbEntry),
    partitionTable(['c12a7328-f81f-11d2-ba4b-00a0c93ec93b']),
    image('\\EFI\\shimx64.efi', 'shim'),
    file('MokList', 'machine owner keys', 14),
    authority(variableVendor.shimLock, 'SbatLevel', Buffer.from('sbat,1,2024010900\n')),
    authority(variableVendor.shimLock, 'Shim', certificates[2] ?? new Uint8Array(0)),
    image('\\EFI\\grubx64.efi', 'grub'),
    file('/grub/grub.cfg', 'configuration'),
    grub('grub_cmd: ', 'linux /vmlinuz root=/dev/vda ro'),
    grub('kernel_cmdline: ', '/vmlinuz root=/dev/vda ro'),
    tagged(9, 0x8f3b_22ec, Buffer.from('Linux initrd\0'), 'initrd'),
    ...exits.map(text => action(5, text)),
  ]
}

/** A whole boot of a unified kernel image. */
export function unifiedBoot(): MadeEvent[] {
  const before = grubBoot().slice(0, 17)
  return [
    ...before,
    image('\\EFI\\Linux\\uki.efi', 'uki'),
    ...section('.linux', 'kernel'),
    ...section('.cmdline', 'quiet'),
    ...section('.initrd', 'initrd'),
    commandLine('quiet splash'),
    tagged(12, 0x49df_fe0f, wide('addon\0'), 'addon'),
    ...exits.map(text => action(5, text)),
  ]
}

/** PCRs that a service asks for. */
export const quotedPcrs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 14] as const
