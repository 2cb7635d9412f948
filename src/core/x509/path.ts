import type { Certificate } from './certificate.ts'
import {
  algorithmViolation,
  authorityViolation,
  endEntityViolation,
  keyViolation,
  labelOf,
  neededTolerances,
  wholeViolation,
  type Tolerance,
  type Violation,
} from './path-checks.ts'
import { PathError } from './path-error.ts'
import { pathRows } from './path-rows.ts'
import { isSignedWith } from './signature-algorithm.ts'

/** What a path is built of and held to. */
export interface PathInput {
  readonly leaf: Certificate
  /** Certificates that may stand in between. Untrusted: they are hints and nothing else. */
  readonly intermediates: readonly Certificate[]
  /** Trusted, by the operator's admission; held to the rules of authorities nevertheless. */
  readonly anchors: readonly Certificate[]
  /** Unix milliseconds at which the path must hold. */
  readonly time: number
  /** As `time`, for the end entity alone. */
  readonly leafTime?: number
  /** Authorities between anchor and end entity, self-issued ones not counted; 6 where not said. */
  readonly maxIntermediates?: number
  /** What is let pass below an anchor; nothing where not said. */
  readonly tolerances?: (anchor: Certificate) => ReadonlySet<Tolerance>
}

/** A path that holds. */
export interface CertificationPath {
  /** The end entity first, the trust anchor last. */
  readonly certificates: readonly Certificate[]
  readonly anchor: Certificate
  /** What had to be tolerated, by name. */
  readonly tolerated: readonly Tolerance[]
}

/** Signatures that are verified for one path, and certificates in it. */
const signatureLimit = 64
const lengthLimit = 16

/**
 * Builds a path from the end entity to an anchor and verifies it: names, signatures, authorities, key usage,
 * critical extensions, validity, path lengths, name constraints. Of several possible paths one that holds is enough;
 * where none does, the refusal is that of the one that came furthest. Certificate policies are not processed: none
 * is asked for, and a critical extension that would constrain them is refused as unknown.
 *
 * The end entity's profile and revocation are the caller's.
 *
 * @throws PathError
 * @see RFC 5280 §6.1, RFC 4158
 */
export function verifyPath(input: PathInput): CertificationPath {
  return new PathSearch(input).run()
}

class PathSearch {
  readonly #input: PathInput
  readonly #candidates: readonly Certificate[]
  readonly #anchors: ReadonlySet<string>
  readonly #verified = new Map<string, boolean>()
  #best: { violation: Violation; rank: number } | undefined

  constructor(input: PathInput) {
    this.#input = input
    this.#anchors = new Set(input.anchors.map(({ fingerprint }) => fingerprint))
    const hints = input.intermediates.filter(({ fingerprint }) => !this.#anchors.has(fingerprint))
    this.#candidates = [...input.anchors, ...hints]
  }

  run(): CertificationPath {
    const { leaf, time, leafTime = time } = this.#input
    const violation = endEntityViolation(leaf, leafTime)
    if (violation !== undefined) throw errorOf(violation)
    const path = this.#extend([leaf])
    if (path === undefined) {
      throw errorOf(
        this.#best?.violation ?? { code: 'path-issuer', found: 'no certificate of the issuer' },
      )
    }
    const anchor = path.at(-1) ?? leaf
    return { certificates: path, anchor, tolerated: [...neededTolerances(path)] }
  }

  /** Depth first: a path that holds and begins with this one. */
  #extend(path: readonly Certificate[]): readonly Certificate[] | undefined {
    const last = path.at(-1)
    if (last === undefined || path.length >= lengthLimit) {
      this.#note(path, { code: 'path-length', found: `${path.length} certificates` })
      return undefined
    }
    for (const issuer of this.#issuersOf(last, path)) {
      const longer = [...path, issuer]
      const isAnchor = this.#anchors.has(issuer.fingerprint)
      const violation =
        this.#linkViolation(last, issuer) ?? (isAnchor ? this.#wholeViolation(longer) : undefined)
      if (violation !== undefined) this.#note(longer, violation)
      else {
        const found = isAnchor ? longer : this.#extend(longer)
        if (found !== undefined) return found
      }
    }
    return undefined
  }

  /** Whoever has the issuer's name and, where both say so, its key; nobody twice in one path. */
  #issuersOf(child: Certificate, path: readonly Certificate[]): Certificate[] {
    const wanted = child.fields.extensions.authorityKeyIdentifier?.keyIdentifier
    return this.#candidates.filter(candidate => {
      const { subject, extensions } = candidate.fields
      if (!sameKeys(subject.keys, child.fields.issuer.keys)) return false
      const offered = extensions.subjectKeyIdentifier
      if (wanted !== undefined && offered !== undefined && !sameBytes(wanted, offered)) return false
      return !path.some(certificate => isSameEntity(certificate, candidate))
    })
  }

  #linkViolation(child: Certificate, issuer: Certificate): Violation | undefined {
    const algorithm = algorithmViolation(child)
    if (algorithm !== undefined) {
      return { code: 'path-algorithm', found: `${labelOf(child)}: ${algorithm}` }
    }
    const key = keyViolation(issuer)
    if (key !== undefined) return { code: 'path-key', found: `${labelOf(issuer)}: ${key}` }
    if (!this.#isIssued(child, issuer)) return { code: 'path-signature', found: labelOf(child) }
    const violation = authorityViolation(issuer, this.#input.time)
    if (violation === undefined) return undefined
    return { ...violation, found: `${labelOf(issuer)}: ${violation.found}` }
  }

  #isIssued(child: Certificate, issuer: Certificate): boolean {
    const pair = `${child.fingerprint} ${issuer.fingerprint}`
    const known = this.#verified.get(pair)
    if (known !== undefined) return known
    if (this.#verified.size >= signatureLimit) {
      throw errorOf({ code: 'path-budget', found: `more than ${signatureLimit} signatures` })
    }
    const { algorithm, signed, signature } = child.fields
    const isIssued =
      algorithm !== undefined &&
      issuer.key !== undefined &&
      isSignedWith(algorithm, issuer.key, signed, signature)
    this.#verified.set(pair, isIssued)
    return isIssued
  }

  #wholeViolation(path: readonly Certificate[]): Violation | undefined {
    const { maxIntermediates = 6, tolerances } = this.#input
    const anchor = path.at(-1)
    const tolerated = anchor === undefined ? undefined : tolerances?.(anchor)
    return wholeViolation(path, maxIntermediates, tolerated ?? new Set())
  }

  /** Keeps the violation of the path that came furthest, by length and then by the order of the rules. */
  #note(path: readonly Certificate[], violation: Violation): void {
    const rank = path.length * ranks.size + (ranks.get(violation.code) ?? 0)
    if (this.#best === undefined || rank > this.#best.rank) this.#best = { violation, rank }
  }
}

const ranks: ReadonlyMap<string, number> = new Map(
  Object.keys(pathRows).map((code, index) => [code, index] as const),
)

function errorOf({ code, found }: Violation): PathError {
  return new PathError(code, { found })
}

function sameKeys(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((key, index) => key === right[index])
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}

/** The same subject with the same key: going through it again leads nowhere new (RFC 4158 §2.4.2). */
function isSameEntity(left: Certificate, right: Certificate): boolean {
  if (left.fingerprint === right.fingerprint) return true
  return (
    sameKeys(left.fields.subject.keys, right.fields.subject.keys) &&
    left.key !== undefined &&
    right.key !== undefined &&
    left.key.equals(right.key)
  )
}
