import { exportJwk, thumbprint, type PublicJwk } from '../../jose/jwk.ts'
import type { AssuranceLevel } from '../../verifier/assurance.ts'
import type { Check, CheckRecorder } from '../../verifier/check.ts'
import type { ProvenRequest } from './request.ts'
import { isSameToken, isSoftwareToken, tokenSha256, type HsmToken } from './token.ts'

/** What a policy can ask of a key or of its token, by name. */
export const hsmProperties = [
  'always-authenticate',
  'copyable',
  'destroyable',
  'domains',
  'form-factor',
  'modifiable',
  'object-id',
  'pin-policy',
  'slot',
  'touch-policy',
] as const

export type HsmProperty = (typeof hsmProperties)[number]

/** What Evidence shows of a token and its key beside what every format demands. */
export interface HsmFacts {
  readonly token: HsmToken
  /** How policies name the maker: the vendor's module, or the manufacturer as the token says. */
  readonly vendor: string
  /** Dotted. */
  readonly firmware: string
  readonly properties: Readonly<Partial<Record<HsmProperty, string>>>
}

/** On whose word the key is one of an HSM. */
export type HsmEndorsementKind = 'certificate' | 'inspected' | 'registered'

const seal = Symbol('hsm key')

interface Parts {
  readonly request: ProvenRequest
  readonly facts: HsmFacts
  readonly assurance: AssuranceLevel
  readonly endorsementKind: HsmEndorsementKind
  readonly anchors: readonly string[]
  readonly registeredJkt: string | undefined
  readonly checks: readonly Check[]
}

/** A key of which Evidence shows, for this challenge and this certificate request, that an HSM holds it. */
export class VerifiedHsmKey {
  readonly #parts: Parts
  readonly #jwk: PublicJwk
  readonly #jkt: string

  constructor(key: typeof seal, parts: Parts) {
    if (key !== seal) throw new TypeError('made by the formats of HSM keys alone')
    this.#parts = parts
    this.#jwk = exportJwk(parts.request.key)
    this.#jkt = thumbprint(this.#jwk)
  }

  /** DER SubjectPublicKeyInfo. */
  get spki(): Uint8Array {
    return this.#parts.request.spki
  }

  get jwk(): PublicJwk {
    return this.#jwk
  }

  /** RFC 7638 thumbprint. */
  get jkt(): string {
    return this.#jkt
  }

  get facts(): HsmFacts {
    return this.#parts.facts
  }

  /** Names the token for life; see `tokenSha256`. */
  get tokenSha256(): string {
    return tokenSha256(this.#parts.facts.token)
  }

  /** `emulated` for a token that is software, whoever vouches for it. */
  get assurance(): AssuranceLevel {
    return this.#parts.assurance
  }

  get endorsementKind(): HsmEndorsementKind {
    return this.#parts.endorsementKind
  }

  /** Lower-case hex SHA-256 of the vendor's certificates that it rests on; none where no vendor vouches. */
  get anchors(): readonly string[] {
    return this.#parts.anchors
  }

  /** RFC 7638 thumbprint of the registered attestation key that vouched; undefined where none did. */
  get registeredJkt(): string | undefined {
    return this.#parts.registeredJkt
  }

  get checks(): readonly Check[] {
    return this.#parts.checks
  }
}

/**
 * Seals what a format has verified, once the token is the one that was asked for. For the formats of HSM keys.
 *
 * @throws EvidenceError `hsm-token-differs`
 */
export function sealHsmKey(
  checks: CheckRecorder,
  proven: {
    readonly request: ProvenRequest
    readonly facts: HsmFacts
    readonly level: 'hsm-attested' | 'hsm-inspected' | 'hsm-declared'
    readonly endorsementKind: HsmEndorsementKind
    readonly anchors?: readonly string[]
    readonly registeredJkt?: string
  },
  expected: {
    readonly claimed: HsmToken
    readonly isToken?: ((sha256: string) => boolean) | undefined
  },
): VerifiedHsmKey {
  const { request, facts, level, endorsementKind, anchors = [], registeredJkt } = proven
  const { token } = facts
  const isHosts = expected.isToken?.(tokenSha256(token)) ?? true
  checks.require(isSameToken(token, expected.claimed) && isHosts, 'hsm-token-differs')
  const assurance = isSoftwareToken(token) ? 'emulated' : level
  const vouched = { assurance, endorsementKind, anchors, registeredJkt } as const
  const parts = { request, facts, ...vouched, checks: [...checks.list] } as const
  return new VerifiedHsmKey(seal, parts)
}
