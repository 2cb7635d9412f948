import type { Tolerance } from '../x509/path-checks.ts'
import { quirksFor, type CertificateTolerance, type QuirkScope } from './quirks.ts'

const certificateOnly: readonly CertificateTolerance[] = ['key-usage-absent', 'oaep-key']

/** Which quirks one certificate may have below the anchor of a vendor, and which of them it did have. */
export class QuirkUse {
  readonly #scope: Omit<QuirkScope, 'vendor'>
  readonly #used = new Set<string>()

  constructor(scope: Omit<QuirkScope, 'vendor'>) {
    this.#scope = scope
  }

  /** Names of the quirks that were used, in the order of their use. */
  get used(): string[] {
    return [...this.#used]
  }

  /** What a path below an anchor of this vendor may depart in. */
  pathTolerances(vendor: string): ReadonlySet<Tolerance> {
    const tolerances = [...quirksFor({ ...this.#scope, vendor }).keys()]
    return new Set(tolerances.filter(isOfPath))
  }

  /** Whether the quirk is tolerated; it then counts as used. */
  use(vendor: string, tolerance: CertificateTolerance): boolean {
    const quirk = quirksFor({ ...this.#scope, vendor }).get(tolerance)
    if (quirk !== undefined) this.#used.add(quirk.name)
    return quirk !== undefined
  }
}

function isOfPath(tolerance: CertificateTolerance): tolerance is Tolerance {
  return !certificateOnly.includes(tolerance)
}
