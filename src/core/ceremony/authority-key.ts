import type { KeyObject } from 'node:crypto'
import type { AuthorityCurve } from '../issuance/authority-profile.ts'
import type { CertificateSignatureName } from '../issuance/signature-algorithm.ts'
import { keyObjectOf, type PublicKey } from '../x509/public-key.ts'
import { CeremonyError } from './error.ts'

/** A public key that an authority may have. */
export interface AuthorityKey {
  readonly key: KeyObject
  /** DER SubjectPublicKeyInfo, as the runtime writes it. */
  readonly spki: Uint8Array
  /** What it signs with: the key decides. */
  readonly algorithm: CertificateSignatureName
}

/** What a key on each curve signs with (NIST SP 800-57 Part 1 r5 §5.6.2). */
const algorithms: Readonly<Record<AuthorityCurve, CertificateSignatureName>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
}

/** Throws CeremonyError `ceremony-key` for a key of another kind, on another curve, or off its own. */
export function authorityKeyOf(publicKey: PublicKey): AuthorityKey {
  const expected = `a key on ${Object.keys(algorithms).join(' or ')}`
  const found = nameOf(publicKey)
  const [, algorithm] = Object.entries(algorithms).find(([curve]) => curve === found) ?? []
  if (algorithm === undefined) throw new CeremonyError('ceremony-key', { expected, found })
  const key = keyObjectOf(publicKey)
  if (key === undefined)
    throw new CeremonyError('ceremony-key', { expected, found: `a point that is not on ${found}` })
  const spki = new Uint8Array(key.export({ format: 'der', type: 'spki' }))
  return { key, spki, algorithm }
}

function nameOf(key: PublicKey): string {
  if (key.kind === 'rsa') return `an RSA key of ${key.modulus.length * 8} bits`
  return key.kind === 'ec' ? key.curve : key.reason
}
