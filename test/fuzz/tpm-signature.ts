import { encodeTpmtSignature, parseTpmtSignature } from '../../src/core/tpm/signature.ts'
import { codeOf } from './coded.ts'

/** Reads any bytes as a TPMT_SIGNATURE, and writes what was read. */
export function fuzz(bytes: Uint8Array): string | undefined {
  return codeOf(() => encodeTpmtSignature(parseTpmtSignature(bytes)))
}
