import { createHash, type KeyObject } from 'node:crypto'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { algorithmOfCurve, type JwsAlgorithm } from './algorithm.ts'
import { encodeEcSpki, importSpki } from './ec-key.ts'
import { JoseError } from './error.ts'

/** A public EC key as RFC 7518 §6.2.1 writes it; coordinates at full length. */
export interface PublicJwk {
  readonly kty: 'EC'
  readonly crv: 'P-256' | 'P-384'
  readonly x: string
  readonly y: string
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/**
 * Reads a public JWK for verifying signatures. `use`, `key_ops` and `alg` may be absent, but where they are there they
 * must agree; other members (`kid`) are dropped. Whether the point lies on the curve is found by {@link importJwk}.
 *
 * @throws JoseError `jwk-malformed`, `jwk-private`
 * @see RFC 7517 §4.2 to §4.4
 */
export function parsePublicJwk(value: unknown): PublicJwk {
  if (typeof value !== 'object' || value === null) throw new JoseError('jwk-malformed')
  const jwk = value as Record<string, unknown>
  if (privateMembers.some(member => Object.hasOwn(jwk, member))) throw new JoseError('jwk-private')
  const algorithm = algorithmOfCurve(jwk['crv'])
  if (jwk['kty'] !== 'EC' || algorithm === undefined || !isForVerifying(jwk, algorithm))
    throw new JoseError('jwk-malformed')
  return {
    kty: 'EC',
    crv: algorithm.curve,
    x: parseCoordinate(jwk['x'], algorithm),
    y: parseCoordinate(jwk['y'], algorithm),
  }
}

function isForVerifying(
  { use, key_ops: operations, alg }: Readonly<Record<string, unknown>>,
  { name }: JwsAlgorithm,
): boolean {
  const isOperation =
    operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
  return isOperation && (use === undefined || use === 'sig') && (alg === undefined || alg === name)
}

function parseCoordinate(value: unknown, algorithm: JwsAlgorithm): string {
  if (typeof value !== 'string') throw new JoseError('jwk-malformed')
  let bytes: Uint8Array
  try {
    bytes = decodeBase64url(value)
  } catch (cause) {
    throw new JoseError('jwk-malformed', { cause })
  }
  if (bytes.length !== algorithm.coordinateLength) {
    throw new JoseError('jwk-malformed', {
      expected: `${algorithm.coordinateLength} bytes a coordinate`,
      found: `${bytes.length}`,
    })
  }
  return value
}

/**
 * The key as the runtime's own object. Dearer than a signature: keep the result.
 *
 * @throws JoseError `jwk-malformed` when the point is not on the curve
 */
export function importJwk(jwk: PublicJwk): KeyObject {
  try {
    const [x, y] = [decodeBase64url(jwk.x), decodeBase64url(jwk.y)]
    return importSpki(encodeEcSpki(jwk.crv, x, y))
  } catch (cause) {
    throw new JoseError('jwk-malformed', { expected: `a point on ${jwk.crv}`, cause })
  }
}

/** The JWK of a public key object on P-256 or P-384. Throws JoseError `jwk-malformed` for any other key. */
export function exportJwk(key: KeyObject): PublicJwk {
  if (key.asymmetricKeyType !== 'ec') throw new JoseError('jwk-malformed')
  const { kty, crv, x, y } = key.export({ format: 'jwk' })
  return parsePublicJwk({ kty, crv, x, y })
}

/** Thumbprint, base64url of 32 bytes: the name of the key everywhere in Assay (RFC 7638 §3). */
export function thumbprint(jwk: PublicJwk): string {
  const canonical = `{"crv":"${jwk.crv}","kty":"EC","x":"${jwk.x}","y":"${jwk.y}"}`
  return encodeBase64url(createHash('sha256').update(canonical).digest())
}
