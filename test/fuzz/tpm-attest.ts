import { encodeTpmsAttest, parseTpmsAttest } from '../../src/core/tpm/attest.ts'
import { codeOf } from './coded.ts'

/** Reads any bytes as a TPMS_ATTEST, and writes what was read. */
export function fuzz(bytes: Uint8Array): string | undefined {
  return codeOf(() => encodeTpmsAttest(parseTpmsAttest(bytes)))
}
