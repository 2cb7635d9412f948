import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { exportJwk, thumbprint, type PublicJwk } from '../../src/core/jose/jwk.ts'

/** A key pair of a test, with the names by which Assay knows its public half. */
export interface TestKey {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly jwk: PublicJwk
  readonly jkt: string
}

/** A fresh key in software: what an attacker has, or a client of the lowest level. */
export function createTestKey(namedCurve: 'P-256' | 'P-384' = 'P-256'): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
  const jwk = exportJwk(publicKey)
  return { privateKey, publicKey, jwk, jkt: thumbprint(jwk) }
}

/** JSON as a segment of a compact JWS; a text is taken as it is, so that broken JSON can be said too. */
export function segment(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return Buffer.from(text).toString('base64url')
}

/** A compact JWS of any header and payload, signed by the key with the hash of its curve. */
export function compactJws(header: unknown, payload: unknown, key: TestKey): string {
  const input = `${segment(header)}.${segment(payload)}`
  const hash = key.jwk.crv === 'P-256' ? 'sha256' : 'sha384'
  const signature = sign(hash, Buffer.from(input), {
    key: key.privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return `${input}.${signature.toString('base64url')}`
}
