import type { AppraisalStatus } from './status.ts'

/** What one rule found, before it becomes a line of the verdict. */
export interface Finding {
  readonly outcome: AppraisalStatus
  /** What the rule wanted, for a person. */
  readonly expected?: string
  /** What was there, for a person; never a secret or an identifier of the TPM. */
  readonly found?: string
}

/** The rule holds. */
export function affirmed(found?: string, expected?: string): Finding {
  return findingOf('affirming', found, expected)
}

/** A fact for the record: it decides nothing. */
export function recorded(found: string): Finding {
  return findingOf('none', found)
}

/** The rule holds in a lower mode, or what it guards against is known and tolerated. */
export function warned(found: string, expected?: string): Finding {
  return findingOf('warning', found, expected)
}

/** The rule does not hold. */
export function contraindicated(found: string, expected?: string): Finding {
  return findingOf('contraindicated', found, expected)
}

function findingOf(
  outcome: AppraisalStatus,
  found: string | undefined,
  expected?: string,
): Finding {
  return {
    outcome,
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
  }
}

/** A list for a message: whole up to four entries, counted beyond. */
export function listed(items: readonly string[]): string {
  if (items.length <= 4) return items.join(', ')
  return `${items.slice(0, 3).join(', ')} and ${items.length - 3} more`
}
