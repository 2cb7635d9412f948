import type { KeyObject } from 'node:crypto'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { factOf } from '../coded-error.ts'
import { parseUniqueJson } from '../json/unique-members.ts'
import type { JwsAlgorithm } from './algorithm.ts'
import { isEcdsaSignature, signEcdsa } from './ecdsa.ts'
import { JoseError } from './error.ts'

/** Longest compact JWS that is read where nobody says otherwise, in characters. */
export const longestJws = 8192

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A JWS taken apart and not yet verified: nothing in it may be believed. */
export interface ParsedJws {
  /** The encoded header as sent: a client's is the same each time, so it serves as a cache key. */
  readonly headerSegment: string
  /** Untrusted until {@link verifyJws} has passed. */
  readonly header: Readonly<Record<string, unknown>>
  /** Untrusted until {@link verifyJws} has passed. */
  readonly payload: Readonly<Record<string, unknown>>
  readonly signingInput: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Takes a compact JWS apart.
 *
 * @param maxLength characters; a longer one is not read at all
 * @throws JoseError `jws-malformed`
 * @see RFC 7515 §7.1
 */
export function parseJws(compact: string, maxLength = longestJws): ParsedJws {
  if (compact.length > maxLength)
    throw new JoseError('jws-malformed', { expected: `at most ${maxLength} characters` })
  const first = compact.indexOf('.')
  const second = compact.indexOf('.', first + 1)
  if (first < 1 || second < 0 || compact.includes('.', second + 1))
    throw new JoseError('jws-malformed')
  const headerSegment = compact.slice(0, first)
  const header = parseObject(headerSegment)
  // RFC 7515 §4.1.11: an extension that must be understood is one that Assay does not know.
  if (Object.hasOwn(header, 'crit'))
    throw new JoseError('jws-malformed', { found: 'a crit header' })
  return {
    headerSegment,
    header,
    payload: parseObject(compact.slice(first + 1, second)),
    signingInput: Buffer.from(compact.slice(0, second), 'latin1'),
    signature: decodeSegment(compact.slice(second + 1)),
  }
}

function decodeSegment(segment: string): Uint8Array {
  try {
    return decodeBase64url(segment)
  } catch (cause) {
    throw new JoseError('jws-malformed', { cause })
  }
}

function parseObject(segment: string): Record<string, unknown> {
  const bytes = decodeSegment(segment)
  let value: unknown
  try {
    value = parseUniqueJson(utf8.decode(bytes))
  } catch (cause) {
    throw new JoseError('jws-malformed', { expected: 'JSON with each member once', cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new JoseError('jws-malformed')
  return value as Record<string, unknown>
}

/**
 * Verifies under a key and the one algorithm that goes with it; the header must name that algorithm.
 *
 * @throws JoseError `jws-algorithm`, `jws-signature`
 * @see RFC 7515 §5.2, RFC 8725 §3.1
 */
export function verifyJws(jws: ParsedJws, key: KeyObject, algorithm: JwsAlgorithm): void {
  if (jws.header['alg'] !== algorithm.name) {
    throw new JoseError('jws-algorithm', {
      expected: algorithm.name,
      found: factOf(jws.header['alg'], 20),
    })
  }
  const lengthOk = jws.signature.length === 2 * algorithm.coordinateLength
  if (!lengthOk || !isEcdsaSignature(algorithm.hash, jws.signingInput, key, jws.signature)) {
    throw new JoseError('jws-signature')
  }
}

/** `header.payload`, ready to be signed (RFC 7515 §5.1). The header is given encoded, since it rarely changes. */
export function encodeSigningInput(headerSegment: string, payload: object): string {
  return `${headerSegment}.${encodeBase64url(Buffer.from(JSON.stringify(payload)))}`
}

/** A JOSE header as the segment that {@link encodeSigningInput} takes. */
export function encodeHeader(header: object): string {
  return encodeBase64url(Buffer.from(JSON.stringify(header)))
}

/** Signs with a key of this process; hardware keys go through their Signer and join the parts themselves. */
export function signJws(
  headerSegment: string,
  payload: object,
  key: KeyObject,
  algorithm: JwsAlgorithm,
): string {
  const input = encodeSigningInput(headerSegment, payload)
  const signature = signEcdsa(
    algorithm.hash,
    Buffer.from(input, 'latin1'),
    key,
    algorithm.coordinateLength,
  )
  return `${input}.${encodeBase64url(signature)}`
}
