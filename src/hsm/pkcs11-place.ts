import { parsePkcs11Uri } from './pkcs11-uri.ts'

/** What a URI says of a key and not of the token that it is in. */
const isOfKey = (part: string): boolean => /^(object|id|type)=/.test(part)

/** Whether a text is the URI of a token, with the absolute path of a module. RFC 7512 §2.3. */
export function isPkcs11TokenUri(text: string): boolean {
  try {
    return parsePkcs11Uri(text, 'token').modulePath.startsWith('/')
  } catch {
    return false
  }
}

/**
 * The URI of a key in the token of another URI.
 *
 * @param place a URI that `parsePkcs11Uri` takes
 * @param object letters, digits and dashes
 */
export function keyUriIn(place: string, object: string, id: Uint8Array): string {
  const { token, query } = partsOf(place)
  const octets = Buffer.from(id).toString('hex').replaceAll(/../g, '%$&')
  return `pkcs11:${[...token, `object=${object}`, `id=${octets}`].join(';')}${query}`
}

/**
 * A URI of a key with library and PIN file as one of the places has them that names the same token: those may move, and
 * a key stays where it is.
 */
export function followPlaces(uri: string, places: readonly string[]): string {
  const { path, token, query } = partsOf(uri)
  const place = places.map(partsOf).find(other => isSame(other.token, token))
  return `pkcs11:${path}${place?.query ?? query}`
}

interface Parts {
  readonly path: string
  readonly token: readonly string[]
  /** With its question mark. */
  readonly query: string
}

function partsOf(uri: string): Parts {
  const [, path = '', query = ''] = /^pkcs11:([^?]*)(\?.*)?$/.exec(uri) ?? []
  const token = path.split(';').filter(part => part !== '' && !isOfKey(part))
  return { path, token: token.toSorted(), query }
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((part, index) => part === right[index])
}
