import { createHash } from 'node:crypto'
import { lengthPrefixed } from '../../bytes/encode.ts'

/** Which token is meant, in the words of CK_TOKEN_INFO without padding (PKCS #11 v3.0 §3.2). */
export interface HsmToken {
  readonly manufacturer: string
  readonly model: string
  readonly serial: string
}

/**
 * Hex SHA-256 of what names a token for life: its maker and serial number, not the model, which firmware may spell
 * anew. The service keeps a keyed hash of it alone.
 */
export function tokenSha256({ manufacturer, serial }: Omit<HsmToken, 'model'>): string {
  const fields = lengthPrefixed(['assay/token/v1', manufacturer, serial])
  return createHash('sha256').update(fields).digest('hex')
}

/** Whether both are one token. */
export function isSameToken(left: HsmToken, right: HsmToken): boolean {
  return tokenSha256(left) === tokenSha256(right)
}

/** Makers of tokens that are software, whatever else they say of themselves. */
const softwareMakers: readonly RegExp[] = [/^SoftHSM/i, /\bsofthsm\b/i]

/** Whether a token is software that stands in for hardware. */
export function isSoftwareToken({ manufacturer, model }: HsmToken): boolean {
  return softwareMakers.some(maker => maker.test(manufacturer) || maker.test(model))
}

/** Takes a token's names out of parsed JSON; undefined for anything but three texts that can be shown. */
export function readToken(value: unknown): HsmToken | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { manufacturer, model, serial, ...others } = value as Record<string, unknown>
  if (!isName(manufacturer) || !isName(model) || !isName(serial)) return undefined
  return Object.keys(others).length === 0 ? { manufacturer, model, serial } : undefined
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[\x20-\x7E]{1,64}$/.test(value)
}
