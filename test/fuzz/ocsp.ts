import { parseOcspResponse } from '../../src/core/x509/ocsp.ts'
import { codeOf } from './coded.ts'

/** Reads any bytes as an OCSP response. */
export function fuzz(bytes: Uint8Array): string | undefined {
  return codeOf(() => parseOcspResponse(bytes))
}
