/** Event types (TCG PC Client Platform Firmware Profile r1.05 §10.4.1, table 27). */
export const EVENT_TYPE = {
  POST_CODE: 0x1,
  NO_ACTION: 0x3,
  SEPARATOR: 0x4,
  ACTION: 0x5,
  EVENT_TAG: 0x6,
  S_CRTM_CONTENTS: 0x7,
  S_CRTM_VERSION: 0x8,
  CPU_MICROCODE: 0x9,
  PLATFORM_CONFIG_FLAGS: 0xa,
  TABLE_OF_DEVICES: 0xb,
  COMPACT_HASH: 0xc,
  IPL: 0xd,
  IPL_PARTITION_DATA: 0xe,
  NONHOST_CODE: 0xf,
  NONHOST_CONFIG: 0x10,
  NONHOST_INFO: 0x11,
  OMIT_BOOT_DEVICE_EVENTS: 0x12,
  POST_CODE2: 0x13,
  EFI_VARIABLE_DRIVER_CONFIG: 0x8000_0001,
  EFI_VARIABLE_BOOT: 0x8000_0002,
  EFI_BOOT_SERVICES_APPLICATION: 0x8000_0003,
  EFI_BOOT_SERVICES_DRIVER: 0x8000_0004,
  EFI_RUNTIME_SERVICES_DRIVER: 0x8000_0005,
  EFI_GPT_EVENT: 0x8000_0006,
  EFI_ACTION: 0x8000_0007,
  EFI_PLATFORM_FIRMWARE_BLOB: 0x8000_0008,
  EFI_HANDOFF_TABLES: 0x8000_0009,
  EFI_PLATFORM_FIRMWARE_BLOB2: 0x8000_000a,
  EFI_HANDOFF_TABLES2: 0x8000_000b,
  EFI_VARIABLE_BOOT2: 0x8000_000c,
  EFI_GPT_EVENT2: 0x8000_000d,
  EFI_HCRTM_EVENT: 0x8000_0010,
  EFI_VARIABLE_AUTHORITY: 0x8000_00e0,
  EFI_SPDM_FIRMWARE_BLOB: 0x8000_00e1,
  EFI_SPDM_FIRMWARE_CONFIG: 0x8000_00e2,
} as const

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(EVENT_TYPE).map(([name, type]) => [type, `EV_${name}`]),
)

/** The name of a type, for people; its number where it has none. What an event is, its type does not prove. */
export function eventTypeName(type: number): string {
  return names.get(type) ?? `0x${type.toString(16)}`
}

/** Types whose digest is that of the whole event data; for all others the data is a hint at best. */
const hashedWhole: readonly number[] = [
  EVENT_TYPE.SEPARATOR,
  EVENT_TYPE.ACTION,
  EVENT_TYPE.EFI_ACTION,
  EVENT_TYPE.EFI_VARIABLE_DRIVER_CONFIG,
  EVENT_TYPE.EFI_VARIABLE_AUTHORITY,
  EVENT_TYPE.EFI_VARIABLE_BOOT2,
  EVENT_TYPE.EFI_GPT_EVENT,
  EVENT_TYPE.EFI_GPT_EVENT2,
  EVENT_TYPE.OMIT_BOOT_DEVICE_EVENTS,
]

/** Whether the profile prescribes that a type's digest is that of its whole data. */
export function isHashedWhole(type: number): boolean {
  return hashedWhole.includes(type)
}
