import { hash } from 'node:crypto'
import type { CheckCode } from './check-table.ts'
import { EvidenceError } from './error.ts'
import type { Sliced } from '../slices.ts'
import { checkTable } from './check-table.ts'
import { identifiesDevice } from './device-bytes.ts'

/** One line of a verdict: which rule was held against which bytes, and how it came out. */
export interface Check {
  readonly code: CheckCode
  readonly outcome: 'pass' | 'fail'
  /** The rule: specification with section and revision. */
  readonly source: string
  /** Hex SHA-256 of the bytes that were looked at, where the check is about bytes that are not a device's for life. */
  readonly bytesSha256?: string
  readonly expected?: string
  readonly found?: string
}

/** What a check found; `bytes` are digested, never shown, and not even digested where that would name the device. */
export interface CheckFacts {
  readonly expected?: string
  readonly found?: string
  readonly bytes?: Uint8Array
  readonly cause?: unknown
}

/** Collects the checks of one verification in the order they ran; the first that fails ends it. */
export class CheckRecorder {
  readonly #list: Check[] = []
  /** Of bytes that were looked at before: a whole log is so more than once. */
  readonly #digests = new Map<Uint8Array, string>()

  /** The checks so far. */
  get list(): readonly Check[] {
    return this.#list
  }

  /** Records that a rule held; `found` says how, where there is more than one way. */
  pass(code: CheckCode, bytes?: Uint8Array, found?: string): void {
    const facts = {
      ...(bytes === undefined ? {} : { bytes }),
      ...(found === undefined ? {} : { found }),
    }
    this.#list.push(this.#lineOf(code, 'pass', facts))
  }

  /** Records the rule as held, or ends the verification. Throws EvidenceError with the code. */
  require(condition: boolean, code: CheckCode, facts: CheckFacts = {}): void {
    if (!condition) this.refuse(code, facts)
    this.pass(code, facts.bytes)
  }

  /** Records the rule as broken and ends the verification. Throws EvidenceError with the code. */
  refuse(code: CheckCode, facts: CheckFacts = {}): never {
    this.#list.push(this.#lineOf(code, 'fail', facts))
    throw new EvidenceError(code, [...this.#list], facts)
  }

  /** Runs a step that throws its own kind of error; what it throws becomes a refusal under this code. */
  attempt<T>(code: CheckCode, bytes: Uint8Array | undefined, step: () => T): T {
    let value: T
    try {
      value = step()
    } catch (cause) {
      if (cause instanceof EvidenceError || cause instanceof TypeError) throw cause
      const found = cause instanceof Error ? cause.message : 'unreadable'
      this.refuse(code, { found, cause, ...(bytes === undefined ? {} : { bytes }) })
    }
    this.pass(code, bytes)
    return value
  }

  /** Runs a verification that this one consists of; a refusal inside it shows the checks of this one before its own. */
  within<T>(verification: () => T): T {
    try {
      return verification()
    } catch (cause) {
      if (cause instanceof EvidenceError) throw cause.after(this.#list)
      throw cause
    }
  }

  /** As `within`, of sliced work. */
  *withinSlices<T>(verification: Sliced<T>): Sliced<T> {
    try {
      return yield* verification
    } catch (cause) {
      if (cause instanceof EvidenceError) throw cause.after(this.#list)
      throw cause
    }
  }

  /** Takes over the checks of a verification that this one rests on. */
  adopt(checks: readonly Check[]): void {
    this.#list.push(...checks)
  }

  #lineOf(code: CheckCode, outcome: Check['outcome'], facts: CheckFacts): Check {
    const { expected, found } = facts
    const bytes = identifiesDevice(code) ? undefined : facts.bytes
    return {
      code,
      outcome,
      source: checkTable[code].source,
      ...(bytes === undefined ? {} : { bytesSha256: this.#digestOf(bytes) }),
      ...(expected === undefined ? {} : { expected }),
      ...(found === undefined ? {} : { found }),
    }
  }

  #digestOf(bytes: Uint8Array): string {
    const digest = this.#digests.get(bytes) ?? hash('sha256', bytes, 'hex')
    this.#digests.set(bytes, digest)
    return digest
  }
}
