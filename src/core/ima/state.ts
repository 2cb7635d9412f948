import { encodeCanonicalJson } from '../log/canonical-json.ts'
import { hashAlgorithms, type HashAlgorithm } from '../tpm/algorithm.ts'
import { ImaError } from './error.ts'
import type { TemplateHash } from './replay.ts'

/** How far the list of one boot was verified. It is kept from one round to the next; what lies after it is unproven. */
export interface ImaState {
  /** Of the TPM; another one means another boot, and a list that begins anew. Compared for equality alone. */
  readonly resetCount: number
  readonly bank: HashAlgorithm['name']
  readonly templateHash: TemplateHash
  /** Proven entries from the beginning of the boot, and their bytes. */
  readonly count: number
  readonly byteLength: number
  /** Hex values that they lead to, by PCR number. */
  readonly values: Readonly<Record<string, string>>
  /** Violations among them. */
  readonly violations: number
  /** The aggregate that the boot began with, as digest text. */
  readonly bootAggregate: string
  /** Whether that was found to be the aggregate of the quoted boot. */
  readonly isBootVerified: boolean
}

const version = 1

/** A state as text, canonical JSON. */
export function encodeImaState(state: ImaState): string {
  return encodeCanonicalJson({ ...state, values: { ...state.values }, version })
}

/**
 * Reads a state back; only what {@link encodeImaState} wrote is one.
 *
 * @throws ImaError `ima-state`
 */
export function parseImaState(text: string): ImaState {
  try {
    const { version: found, ...state } = JSON.parse(text) as ImaState & { version: unknown }
    if (found !== version || !isState(state) || encodeImaState(state) !== text)
      throw new ImaError('ima-state')
    return state
  } catch (cause) {
    throw cause instanceof ImaError ? cause : new ImaError('ima-state', { cause })
  }
}

function isState(state: ImaState): boolean {
  const bank = hashAlgorithms.find(({ name }) => name === state.bank)
  const numbers = [state.resetCount, state.count, state.byteLength, state.violations]
  const width = new RegExp(`^[0-9a-f]{${(bank?.size ?? 0) * 2}}$`)
  const values = Object.entries(state.values)
  return (
    bank !== undefined &&
    numbers.every(value => Number.isSafeInteger(value) && value >= 0) &&
    (state.templateHash === 'bank' || state.templateHash === 'sha1-padded') &&
    typeof state.bootAggregate === 'string' &&
    typeof state.isBootVerified === 'boolean' &&
    values.length > 0 &&
    values.every(([pcr, value]) => /^(?:\d|1\d|2[0-3])$/.test(pcr) && width.test(value)) &&
    Object.keys(state).length === 9
  )
}
