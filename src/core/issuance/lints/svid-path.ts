import { isTrustDomain, parseSpiffeId } from '../../spiffe/spiffe-id.ts'
import type { CertificateLint } from '../lint.ts'

/** A leaf's SPIFFE ID has a path, an authority's has none. */
export const svidPath: CertificateLint = {
  code: 'lint-svid-path',
  summary: 'The SPIFFE ID is malformed, or its path is not that of a leaf or of an authority.',
  source: 'X509-SVID §3.1, §4.1; SPIFFE-ID §2',
  find: (_certificate, { svid, authority }) => {
    if (svid === undefined) return undefined
    const isGood = authority === undefined ? isLeafId(svid) : isAuthorityId(svid)
    return isGood ? undefined : svid
  },
}

function isAuthorityId(text: string): boolean {
  return text.startsWith('spiffe://') && isTrustDomain(text.slice('spiffe://'.length))
}

function isLeafId(text: string): boolean {
  try {
    return parseSpiffeId(text).segments.length > 0
  } catch {
    return false
  }
}
