import { createHash } from 'node:crypto'
import type { Tpm, TpmHandle } from '../../native/index.ts'
import { isEqual } from '../core/bytes/equal.ts'
import { parseAll } from '../core/bytes/reader.ts'
import { TPM_ALG } from '../core/tpm/algorithm.ts'
import { parseTpmsAttest, TPM_ST_ATTEST } from '../core/tpm/attest.ts'
import {
  encodePcrSelections,
  readPcrSelections,
  type PcrSelection,
} from '../core/tpm/pcr-selection.ts'
import { AttesterError } from './error.ts'

/** A quote with the values it was made over. */
export interface Quote {
  /** TPMS_ATTEST. */
  readonly attest: Uint8Array
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array
  /** Values of the SHA-256 bank by PCR number. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>
}

/** What to quote, and by which key. */
export interface QuoteRequest {
  readonly signer: TpmHandle
  /** PCRs of the SHA-256 bank. */
  readonly pcrs: readonly number[]
  readonly qualifyingData: Uint8Array
}

const attempts = 8

/**
 * Quotes PCRs and reads the values that the quote stands for. It quotes first: what extends a PCR in between makes the
 * digest differ, and everything is done again.
 *
 * @throws AttesterError `pcr-bank-inactive`, `quote-unsteady`; Tpm2Error
 * @see TPM 2.0 Part 3 r01.59 §18.4; verification Q3, Q5
 */
export async function createQuote(tpm: Tpm, request: QuoteRequest): Promise<Quote> {
  const pcrs = request.pcrs.toSorted((left, right) => left - right)
  await requireActive(tpm, pcrs)
  const pcrSelection = encodePcrSelections([{ hash: TPM_ALG.SHA256, pcrs }])
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const { signer, qualifyingData } = request
    const quoted = await tpm.quote({ signer, qualifyingData, pcrSelection })
    const { digests } = await tpm.pcrRead(pcrSelection)
    if (digests.length === pcrs.length && isDigestOf(quoted.attest, digests)) {
      return { ...quoted, pcrs: new Map(pcrs.map((pcr, at) => [pcr, digests[at] as Uint8Array])) }
    }
  }
  throw new AttesterError('quote-unsteady', { found: `${attempts} attempts` })
}

/** A bank that is not active is left out of a quote without a word: asked before, it has its own error. */
async function requireActive(tpm: Tpm, pcrs: readonly number[]): Promise<void> {
  const banks = parseAll(await tpm.pcrBanks(), readPcrSelections)
  const active = banks.find(({ hash }) => hash === TPM_ALG.SHA256)?.pcrs ?? []
  const missing = pcrs.filter(pcr => !active.includes(pcr))
  if (missing.length === 0) return
  throw new AttesterError('pcr-bank-inactive', {
    expected: `SHA-256 PCRs ${pcrs.join(' ')}`,
    found: describeBanks(banks),
  })
}

function describeBanks(banks: readonly PcrSelection[]): string {
  const active = banks.filter(({ pcrs }) => pcrs.length > 0)
  const names = active.map(({ hash, pcrs }) => `0x${hash.toString(16)}: ${pcrs.join(' ')}`)
  return names.join('; ') || 'no active bank'
}

function isDigestOf(attest: Uint8Array, values: readonly Uint8Array[]): boolean {
  const { attested } = parseTpmsAttest(attest)
  const digest = createHash('sha256').update(Buffer.concat(values)).digest()
  return attested.type === TPM_ST_ATTEST.quote && isEqual(attested.pcrDigest, digest)
}
