import type { KeyObject } from 'node:crypto'
import { TPM_ALG, type HashAlgorithm } from '../tpm/algorithm.ts'
import { nameOf, qualifiedNameOf, type TpmtPublic } from '../tpm/public.ts'
import { keyObjectOf } from '../tpm/signature.ts'
import { CheckRecorder, type Check } from './check.ts'
import {
  hasStrongName,
  parsePublicArea,
  requireAttributes,
  strongHash,
  weaknessOfArea,
} from './public-area.ts'

const seal = Symbol('attestation key')

/** What makes a signing key one that signs only what its TPM itself has made (verification K1). */
const attributeRule = {
  required: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'restricted', 'sign'],
  forbidden: ['decrypt', 'stClear', 'encryptedDuplication', 'x509sign'],
} as const

const signatureSchemes: readonly number[] = [TPM_ALG.RSASSA, TPM_ALG.RSAPSS, TPM_ALG.ECDSA]

/**
 * An attestation key whose public area was checked. That it lies in the TPM of a certain endorsement key is shown by
 * an activation; until then it is a claim that can be challenged.
 */
export class AttestationKey {
  readonly #area: TpmtPublic
  readonly #key: KeyObject
  readonly #hash: HashAlgorithm
  readonly #name: Uint8Array
  readonly #checks: readonly Check[]

  constructor(
    key: typeof seal,
    parts: {
      readonly area: TpmtPublic
      readonly key: KeyObject
      readonly hash: HashAlgorithm
      readonly name: Uint8Array
      readonly checks: readonly Check[]
    },
  ) {
    if (key !== seal) throw new TypeError('made by verifyAttestationKey alone')
    this.#area = parts.area
    this.#key = parts.key
    this.#hash = parts.hash
    this.#name = parts.name
    this.#checks = parts.checks
  }

  get area(): TpmtPublic {
    return this.#area
  }

  get key(): KeyObject {
    return this.#key
  }

  /** The one hash of its signatures. */
  get hash(): HashAlgorithm {
    return this.#hash
  }

  /** Computed here from the bytes that were read (TPM 2.0 Part 1 r01.59 §16). */
  get name(): Uint8Array {
    return this.#name
  }

  /** Its Qualified Name as a primary key of the endorsement hierarchy, where it must stand (verification Q7). */
  get qualifiedName(): Uint8Array {
    return qualifiedNameOf('endorsement', this.#name)
  }

  get checks(): readonly Check[] {
    return this.#checks
  }
}

/**
 * Checks the public area of an attestation key before anything is challenged for it.
 *
 * @param request `public` is a TPMT_PUBLIC, untrusted
 * @throws EvidenceError `ak-public-malformed`, `ak-attributes`, `ak-name-algorithm`, `ak-symmetric`, `ak-scheme`,
 *   `ak-key-weak`
 * @see TPM 2.0 Keys for Device Identity and Attestation v1.00 §7.3.4; verification K1 to K5, C2
 */
export function verifyAttestationKey(request: { readonly public: Uint8Array }): AttestationKey {
  const bytes = Uint8Array.from(request.public)
  const checks = new CheckRecorder()
  const area = checks.attempt('ak-public-malformed', bytes, () => parsePublicArea(bytes))
  requireAttributes(checks, 'ak-attributes', area, attributeRule, bytes)
  checks.require(hasStrongName(area), 'ak-name-algorithm', { bytes })
  const hash = requireSigningKey(checks, area, bytes)
  const key = requireStrongKey(checks, area, bytes)
  return new AttestationKey(seal, { area, key, hash, name: nameOf(bytes), checks: checks.list })
}

/**
 * The attestation key of a host that was admitted, from what is on record. It is checked again: a rule that became
 * stricter holds for old keys too.
 *
 * @throws EvidenceError as {@link verifyAttestationKey}
 */
export function restoreAttestationKey(bytes: Uint8Array): AttestationKey {
  return verifyAttestationKey({ public: bytes })
}

function requireSigningKey(
  checks: CheckRecorder,
  area: TpmtPublic,
  bytes: Uint8Array,
): HashAlgorithm {
  const derives = area.type === TPM_ALG.ECC && area.kdf !== undefined
  checks.require(area.symmetric === undefined && !derives, 'ak-symmetric', { bytes })
  const { scheme } = area
  const isSigning = scheme !== undefined && signatureSchemes.includes(scheme.scheme)
  const hash = isSigning ? strongHash(scheme.hash) : undefined
  if (hash === undefined) checks.refuse('ak-scheme', { bytes })
  checks.pass('ak-scheme', bytes)
  return hash
}

function requireStrongKey(checks: CheckRecorder, area: TpmtPublic, bytes: Uint8Array): KeyObject {
  const weakness = weaknessOfArea(area)
  if (weakness !== undefined) checks.refuse('ak-key-weak', { found: weakness, bytes })
  const key = keyObjectOf(area)
  if (key === undefined) checks.refuse('ak-key-weak', { found: 'a point off the curve', bytes })
  checks.pass('ak-key-weak', bytes)
  return key
}
