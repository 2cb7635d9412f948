import { encodeTpmtPublic, parseTpmtPublic } from '../../src/core/tpm/public.ts'
import { codeOf } from './coded.ts'

/** Reads any bytes as a TPMT_PUBLIC, and writes what was read. */
export function fuzz(bytes: Uint8Array): string | undefined {
  return codeOf(() => encodeTpmtPublic(parseTpmtPublic(bytes)))
}
