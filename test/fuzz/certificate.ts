import { parseCertificate } from '../../src/core/x509/certificate.ts'
import { codeOf } from './coded.ts'

/** Reads any bytes as an X.509 certificate. */
export function fuzz(bytes: Uint8Array): string | undefined {
  return codeOf(() => parseCertificate(bytes))
}
