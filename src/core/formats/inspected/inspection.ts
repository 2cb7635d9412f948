import { decodeBase64url, encodeBase64url } from '../../bytes/base64url.ts'
import { encodeCanonicalJson } from '../../log/canonical-json.ts'
import { readAttributes, type HsmAttributes } from '../hsm/attributes.ts'
import { readToken, type HsmToken } from '../hsm/token.ts'

/** What the service found in its own session on a token. */
export interface Inspection {
  readonly token: HsmToken
  /** Dotted, of CK_TOKEN_INFO.firmwareVersion. */
  readonly firmware: string
  readonly attributes: HsmAttributes
  /** DER SubjectPublicKeyInfo of the key that signed. */
  readonly spki: Uint8Array
  /** By the key, over `hsmInspectionMessage`; r ‖ s. */
  readonly signature: Uint8Array
}

/** An inspection as it is kept with the Evidence: canonical JSON. */
export function encodeInspection(inspection: Inspection): Uint8Array {
  const { token, firmware, attributes, spki, signature } = inspection
  const record = {
    token: { manufacturer: token.manufacturer, model: token.model, serial: token.serial },
    firmware,
    attributes: { ...attributes },
    spki: encodeBase64url(spki),
    signature: encodeBase64url(signature),
  }
  return Buffer.from(encodeCanonicalJson(record))
}

/**
 * Reads back what {@link encodeInspection} wrote.
 *
 * @throws Error for anything else; the verifier gives it a code
 */
export function parseInspection(bytes: Uint8Array): Inspection {
  const record = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>
  const { firmware, spki, signature } = record
  const [token, attributes] = [readToken(record['token']), readAttributes(record['attributes'])]
  const isText =
    typeof firmware === 'string' && typeof spki === 'string' && typeof signature === 'string'
  if (token === undefined || attributes === undefined || !isText)
    throw new Error('a member is missing')
  return {
    token,
    firmware,
    attributes,
    spki: decodeBase64url(spki),
    signature: decodeBase64url(signature),
  }
}
