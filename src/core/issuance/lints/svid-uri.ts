import { urisOf } from '../../spiffe/svid-leaf.ts'
import type { CertificateLint } from '../lint.ts'

/** Exactly one URI, and it is the SPIFFE ID that was promised. */
export const svidUri: CertificateLint = {
  code: 'lint-svid-uri',
  summary: 'The certificate does not carry exactly the one SPIFFE ID that it is for.',
  source: 'X509-SVID §2',
  find: (certificate, { svid }) => {
    const found = urisOf(certificate)
    const isPromised = svid === undefined || (found.length === 1 && found[0] === svid)
    return isPromised ? undefined : found.join(' ') || 'none'
  },
}
