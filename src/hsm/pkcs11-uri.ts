import { Pkcs11Error } from './pkcs11-error.ts'

/** Which private key of which token is meant; what is left out fits everything. */
export interface Pkcs11Uri {
  /** Path of the library. */
  readonly modulePath: string
  readonly token?: string
  readonly manufacturer?: string
  readonly serial?: string
  readonly model?: string
  readonly slotId?: number
  /** CKA_LABEL. */
  readonly object?: string
  /** CKA_ID. */
  readonly id?: Uint8Array
  /** Uncompressed point of the public key: whose private key is meant, and no name. In no URI. */
  readonly point?: Uint8Array
  /** Path of the file that holds the PIN. */
  readonly pinSource?: string
}

const pathNames = [
  'token',
  'manufacturer',
  'serial',
  'model',
  'slot-id',
  'object',
  'id',
  'type',
] as const
const queryNames = ['module-path', 'pin-source'] as const

/** RFC 7512 §2.3: what a value may hold unescaped in the path, and §2.4 in the query. */
const pathValue = /^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=&]|%[0-9A-Fa-f]{2})*$/
const queryValue = /^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=/?|]|%[0-9A-Fa-f]{2})*$/

/**
 * Reads a PKCS#11 URI that names a private key, or a token where that is asked for. An attribute that is not understood is refused, since it may be the one
 * that tells two keys apart; so is a PIN in the URI.
 *
 * @throws Pkcs11Error `pkcs11-uri-malformed`, `pkcs11-pin-in-uri`
 * @see RFC 7512 §2.3, §2.4
 */
export function parsePkcs11Uri(text: string, named: 'key' | 'token' = 'key'): Pkcs11Uri {
  const [, path, query] = /^pkcs11:([^?#]*)(?:\?([^#]*))?$/.exec(text) ?? []
  if (path === undefined) throw malformed('the scheme pkcs11:')
  if (/(^|[?&])pin-value=/.test(`?${query ?? ''}`)) throw new Pkcs11Error('pkcs11-pin-in-uri')
  const where = parseAttributes(path, ';', pathNames, pathValue)
  const how = parseAttributes(query ?? '', '&', queryNames, queryValue)
  const modulePath = textOf(how.get('module-path'))
  if (modulePath === undefined || modulePath === '') throw malformed('module-path=')
  const isKeyNamed = where.has('object') || where.has('id')
  if (named === 'key' && !isKeyNamed) throw malformed('object= or id=')
  if (named === 'token' && isKeyNamed) throw malformed('a token without object= and id=')
  if ((textOf(where.get('type')) ?? 'private') !== 'private') throw malformed('type=private')
  return {
    modulePath,
    ...textsOf(where),
    ...slotOf(textOf(where.get('slot-id'))),
    ...(where.has('id') ? { id: where.get('id') ?? new Uint8Array() } : {}),
    ...pinSourceOf(textOf(how.get('pin-source'))),
  }
}

/** Whether a text is such a URI, with the absolute path of a module. */
export function isPkcs11KeyUri(text: string): boolean {
  try {
    return parsePkcs11Uri(text).modulePath.startsWith('/')
  } catch {
    return false
  }
}

function parseAttributes(
  text: string,
  separator: string,
  names: readonly string[],
  value: RegExp,
): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>()
  for (const part of text === '' ? [] : text.split(separator)) {
    const equals = part.indexOf('=')
    const name = part.slice(0, Math.max(equals, 0))
    const encoded = part.slice(equals + 1)
    if (!names.includes(name)) throw malformed(`one of ${names.join(', ')}`, part.slice(0, 40))
    if (found.has(name)) throw malformed(`${name} once`)
    if (!value.test(encoded)) throw malformed(`a percent-encoded value of ${name}`)
    found.set(name, decodePercent(encoded))
  }
  return found
}

function decodePercent(text: string): Uint8Array {
  const latin = text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  )
  return Buffer.from(latin, 'latin1')
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw malformed('values in UTF-8')
  }
}

function textsOf(
  found: Map<string, Uint8Array>,
): Pick<Pkcs11Uri, 'token' | 'manufacturer' | 'serial' | 'model' | 'object'> {
  const names = ['token', 'manufacturer', 'serial', 'model', 'object'] as const
  return Object.fromEntries(
    names.filter(name => found.has(name)).map(name => [name, textOf(found.get(name))]),
  )
}

function slotOf(text: string | undefined): { slotId?: number } {
  if (text === undefined) return {}
  if (!/^(0|[1-9]\d{0,9})$/.test(text)) throw malformed('slot-id as a number')
  return { slotId: Number(text) }
}

/** RFC 7512 §2.4: a path or a file URI. A command, which some programs run, is not read from a key's name. */
function pinSourceOf(text: string | undefined): { pinSource?: string } {
  return text === undefined ? {} : { pinSource: parsePinSource(text) }
}

/**
 * The path of a PIN file, as `pin-source` and ASSAY_PIN_SOURCE name it: absolute, or as a file URI.
 *
 * @throws Pkcs11Error `pkcs11-uri-malformed`
 */
export function parsePinSource(text: string): string {
  const path = text.replace(/^file:(\/\/(?=\/))?/, '')
  if (!path.startsWith('/') || path.startsWith('//') || path.includes('\0'))
    throw malformed('pin-source as an absolute path or file:/path')
  return path
}

function malformed(expected: string, found?: string): Pkcs11Error {
  return new Pkcs11Error('pkcs11-uri-malformed', {
    expected,
    ...(found === undefined ? {} : { found }),
  })
}
