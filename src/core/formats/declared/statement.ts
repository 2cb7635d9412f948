import type { ParsedJws } from '../../jose/jws.ts'
import { decodeBase64url } from '../../bytes/base64url.ts'
import { readAttributes, type HsmAttributes } from '../hsm/attributes.ts'
import type { HsmContext } from '../hsm/binding.ts'
import { readToken, type HsmToken } from '../hsm/token.ts'

/** `typ` of the header (RFC 8725 §3.11). */
export const statementJwsType = 'assay-hsm-statement+jwt'

/** What a host states of a key in its token, signed by the token's attestation key. */
export interface KeyStatement {
  readonly aud: string
  readonly purpose: HsmContext['purpose']
  /** As `HsmContext.contextId`. */
  readonly context: string
  /** base64url, as the next. */
  readonly nonce: string
  /** SHA-256 of the certificate request. */
  readonly csrSha256: string
  /** RFC 7638 thumbprint of the key. */
  readonly jkt: string
  readonly token: HsmToken
  readonly firmware: string
  readonly attributes: HsmAttributes
}

/** A statement taken apart and not yet verified. */
export interface ParsedStatement {
  /** Thumbprint of the key that is said to have signed. */
  readonly kid: string
  readonly statement: KeyStatement
}

const textMembers = ['aud', 'purpose', 'context', 'nonce', 'csrSha256', 'jkt', 'firmware'] as const

/** Reads header and payload of a statement; undefined for anything but exactly what a statement has. */
export function readStatement({ header, payload }: ParsedJws): ParsedStatement | undefined {
  const { kid, typ, alg: _alg, ...unknown } = header
  const isHeader = typeof kid === 'string' && typ === statementJwsType
  if (!isHeader || Object.keys(unknown).length > 0) return undefined
  const texts = textMembers.map(name => payload[name])
  const isText = texts.every(value => typeof value === 'string')
  if (!isText || Object.keys(payload).length !== textMembers.length + 2) return undefined
  const [token, attributes] = [readToken(payload['token']), readAttributes(payload['attributes'])]
  const [
    aud = '',
    purpose = '',
    context = '',
    nonce = '',
    csrSha256 = '',
    jkt = '',
    firmware = '',
  ] = texts
  if (token === undefined || attributes === undefined) return undefined
  if (!isPurpose(purpose)) return undefined
  const statement = { aud, purpose, context, nonce, csrSha256, jkt, token, firmware, attributes }
  return { kid, statement }
}

function isPurpose(text: string): text is KeyStatement['purpose'] {
  return text === 'host' || text === 'agent' || text === 'renewal'
}

/** Whether a base64url member is these octets; false for what is not base64url. */
export function isOctets(text: string, octets: Uint8Array): boolean {
  try {
    return Buffer.compare(decodeBase64url(text), octets) === 0
  } catch {
    return false
  }
}
