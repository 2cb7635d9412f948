import { decodeBase64url, EncodingError } from '../../src/core/bytes/base64url.ts'
import { algorithmOfCurve, jwsAlgorithmNames } from '../../src/core/jose/algorithm.ts'
import { JoseError } from '../../src/core/jose/error.ts'
import { importJwk, parsePublicJwk } from '../../src/core/jose/jwk.ts'
import { verifyJws, type ParsedJws } from '../../src/core/jose/jws.ts'
import type { Finding, Verdict } from './vector.ts'
import type { Case } from './wycheproof-case.ts'

interface JoseGroup {
  /** A key or a set of keys; the private one where the algorithm is symmetric. */
  readonly public?: Jwk
  readonly private?: Jwk
  readonly tests: readonly JoseCase[]
}

type Jwk = Readonly<Record<string, unknown>> & { readonly keys?: readonly Jwk[] }

/** `jwe` in the cases that decrypt, which nothing here does; a JWS may be an object in the JSON serialization. */
interface JoseCase extends Case {
  readonly jws?: unknown
  readonly jwe?: unknown
}

/**
 * JWS under the key that goes with them. Only ES256 and ES384 in the compact serialization are accepted here, so what is
 * valid and something else is refused by decision.
 */
export function joseSuite(group: JoseGroup): Finding[] {
  const key = group.public ?? group.private ?? {}
  return group.tests.map(test => {
    const isDecided = test.result === 'valid' && isOurs(test.jws)
    return { name: String(test.tcId), expected: isDecided ? 'accept' : 'refuse', ...run(key, test) }
  })
}

/** Told from the header alone, by other means than the code under test. */
function isOurs(jws: unknown): boolean {
  if (typeof jws !== 'string') return false
  const header = Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString('utf8')
  return jwsAlgorithmNames.some(name => header.includes(`"${name}"`))
}

function run(key: Jwk, { jws }: JoseCase): { found: Verdict; detail: string } {
  try {
    const parsed = parseAnyPayload(jws)
    const jwk = parsePublicJwk(keyFor(key, parsed))
    const algorithm = algorithmOfCurve(jwk.crv)
    if (algorithm === undefined) throw new TypeError('a key that was read is on a known curve')
    verifyJws(parsed, importJwk(jwk), algorithm)
    return { found: 'accept', detail: '' }
  } catch (error) {
    if (error instanceof JoseError || error instanceof EncodingError)
      return { found: 'refuse', detail: error.code }
    throw error
  }
}

/** The one key of a set that the header names; none where there are more. */
function keyFor(key: Jwk, { header }: ParsedJws): Jwk | undefined {
  if (key.keys === undefined) return key
  const [named, ...more] = key.keys.filter(candidate => candidate['kid'] === header['kid'])
  return more.length === 0 ? named : undefined
}

/** A compact JWS taken apart as `parseJws` does, but for the payload: the suite's is no JSON. */
function parseAnyPayload(jws: unknown): ParsedJws {
  if (typeof jws !== 'string') throw new JoseError('jws-malformed')
  const [headerSegment = '', payload = '', signature, ...more] = jws.split('.')
  if (signature === undefined || more.length > 0) throw new JoseError('jws-malformed')
  decodeBase64url(payload)
  return {
    headerSegment,
    header: parseHeader(headerSegment),
    payload: {},
    signingInput: Buffer.from(`${headerSegment}.${payload}`, 'latin1'),
    signature: decodeBase64url(signature),
  }
}

function parseHeader(segment: string): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(Buffer.from(decodeBase64url(segment)).toString('utf8'))
    return header as Record<string, unknown>
  } catch (cause) {
    throw new JoseError('jws-malformed', { cause })
  }
}
