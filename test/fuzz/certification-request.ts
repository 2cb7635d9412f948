import { parseCertificationRequest } from '../../src/core/x509/certification-request.ts'
import { codeOf } from './coded.ts'

/** Reads any bytes as a PKCS #10 request. */
export function fuzz(bytes: Uint8Array): string | undefined {
  return codeOf(() => parseCertificationRequest(bytes))
}
