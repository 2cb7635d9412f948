import type { Handle, PKCS11, TokenInfo } from 'pkcs11js'
import { booleanAttributes, type HsmAttributes } from '../core/formats/hsm/attributes.ts'
import type { HsmToken } from '../core/formats/hsm/token.ts'
import { CKA } from './pkcs11-constants.ts'
import { readAttribute } from './pkcs11-attributes.ts'

/** What a token says of itself and of a key: facts where one's own module says so, a claim where another's does. */
export interface KeyDescription {
  readonly token: HsmToken
  /** Dotted, CK_TOKEN_INFO.firmwareVersion. */
  readonly firmware: string
  readonly attributes: HsmAttributes
}

/** Reads what there is to be read of a private key and its token. PKCS #11 v3.0 §3.2, §4.9. */
export function describeKey(
  module: PKCS11,
  session: Handle,
  privateKey: Handle,
  info: TokenInfo,
): KeyDescription {
  const { major, minor } = info.firmwareVersion
  const read = (type: number): Buffer | undefined =>
    readAttribute(module, session, privateKey, type)
  const entries = booleanAttributes.map(name => {
    const value = read(CKA[name.slice('CKA_'.length) as keyof typeof CKA])
    return [name, value === undefined ? null : value[0] === 1] as const
  })
  return {
    token: {
      manufacturer: plain(info.manufacturerID),
      model: plain(info.model),
      serial: plain(info.serialNumber),
    },
    firmware: `${major}.${minor}`,
    attributes: {
      ...(Object.fromEntries(entries) as Omit<HsmAttributes, 'CKA_KEY_GEN_MECHANISM'>),
      CKA_KEY_GEN_MECHANISM: mechanismOf(read(CKA.KEY_GEN_MECHANISM)),
    },
  }
}

/** PKCS #11 v3.0 §3.2: padded with blanks, not terminated. */
function plain(text: string): string {
  return text.replace(/[ \0]+$/, '')
}

/** A CK_MECHANISM_TYPE; null where it is unavailable, which is said by all bits (PKCS #11 v3.0 §4.9). */
function mechanismOf(value: Buffer | undefined): number | null {
  if (value?.length !== 8) return value?.length === 4 ? unlessAllOnes(value.readUInt32LE()) : null
  const number = value.readBigUInt64LE()
  return number > 0xffff_ffffn ? null : unlessAllOnes(Number(number))
}

function unlessAllOnes(number: number): number | null {
  return number === 0xffff_ffff ? null : number
}
