import type { KeyObject } from 'node:crypto'
import { jwsAlgorithmOf, type JwsAlgorithm } from '../jose/algorithm.ts'
import { importJwk, parsePublicJwk, thumbprint, type PublicJwk } from '../jose/jwk.ts'
import { JoseError } from '../jose/error.ts'
import type { ParsedJws } from '../jose/jws.ts'

/** The key that a DPoP header names, ready to verify with. */
export interface ProofKey {
  readonly jwk: PublicJwk
  readonly jkt: string
  readonly key: KeyObject
  readonly algorithm: JwsAlgorithm
}

/** Longer proofs are verified and forgotten: what is remembered holds on to their text. */
const longestKept = 2_048

/**
 * Remembers imported keys by the header segment that named them, since an import costs more than a verification.
 * Holds at most `capacity` keys; the one longest unused goes first. Only headers whose proof verified are kept, so
 * nobody without a key can push others out.
 */
export class ProofKeys {
  readonly #kept = new Map<string, ProofKey>()
  readonly #imported = new Map<string, ProofKey>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /**
   * The key in the header of a proof.
   *
   * @throws JoseError `jwk-malformed`, `jwk-private`, `jws-algorithm`
   */
  resolve(jws: ParsedJws): ProofKey {
    return this.#kept.get(jws.headerSegment) ?? importProofKey(jws.header)
  }

  /**
   * The key of a client as a store keeps it, imported once.
   *
   * @throws JoseError `jwk-malformed`
   */
  importOnce(record: { readonly jkt: string; readonly jwk: string }): ProofKey {
    const known = this.#imported.get(record.jkt)
    if (known !== undefined) return known
    const key = proofKeyOf(parsePublicJwk(JSON.parse(record.jwk)))
    this.#imported.set(record.jkt, key)
    this.#evict(this.#imported)
    return key
  }

  /** Keeps the key of a proof that verified. */
  keep(jws: ParsedJws, key: ProofKey): void {
    if (jws.signingInput.length > longestKept) return
    this.#kept.delete(jws.headerSegment)
    this.#kept.set(jws.headerSegment, key)
    this.#evict(this.#kept)
  }

  #evict(map: Map<string, ProofKey>): void {
    if (map.size <= this.#capacity) return
    const [oldest] = map.keys()
    if (oldest !== undefined) map.delete(oldest)
  }
}

function importProofKey(header: Readonly<Record<string, unknown>>): ProofKey {
  const jwk = parsePublicJwk(header['jwk'])
  if (header['alg'] !== jwsAlgorithmOf[jwk.crv].name) throw new JoseError('jws-algorithm')
  return proofKeyOf(jwk)
}

function proofKeyOf(jwk: PublicJwk): ProofKey {
  const algorithm = jwsAlgorithmOf[jwk.crv]
  return { jwk, jkt: thumbprint(jwk), key: importJwk(jwk), algorithm }
}
