import { parseCertificateList } from '../../src/core/x509/crl.ts'
import { codeOf } from './coded.ts'

/** Reads any bytes as a certificate revocation list. */
export function fuzz(bytes: Uint8Array): string | undefined {
  return codeOf(() => parseCertificateList(bytes))
}
