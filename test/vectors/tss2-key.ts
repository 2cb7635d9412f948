import { AttesterError } from '../../src/attester/error.ts'
import { parseSigningKey } from '../../src/attester/signing-key.ts'
import { parseTss2Key } from '../../src/attester/tss2-key.ts'
import type { CheckVector, Verdict } from './vector.ts'

/** Whether a key file is read, and whether its key would be taken for one that cannot leave its TPM. */
export const check: CheckVector = (entry, bytes) => {
  if (entry.verdict === 'suite') return []
  const judged = judge(Buffer.from(bytes).toString('utf8'))
  return [{ name: entry.file, expected: entry.verdict, ...judged }]
}

function judge(pem: string): { found: Verdict; detail?: string } {
  try {
    parseSigningKey(parseTss2Key(pem).public)
    return { found: 'accept' }
  } catch (error) {
    if (!(error instanceof AttesterError)) throw error
    const found = error.code === 'tss2-malformed' ? 'malformed' : 'refuse'
    return { found, detail: error.code }
  }
}
