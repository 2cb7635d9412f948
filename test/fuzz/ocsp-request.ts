import { parseOcspRequest } from '../../src/core/x509/ocsp-request.ts'
import { codeOf } from './coded.ts'

/** Reads any bytes as an OCSP request. */
export function fuzz(bytes: Uint8Array): string | undefined {
  return codeOf(() => parseOcspRequest(bytes))
}
