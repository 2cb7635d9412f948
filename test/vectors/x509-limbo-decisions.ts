import type { EkCheckCode } from '../../src/core/ek/check-rows.ts'
import type { Verdict } from './vector.ts'

/** Where a case of x509-limbo is judged otherwise here than the suite says, and why. */
export interface Decision {
  /** The cases: each begins like this. */
  readonly cases: readonly string[]
  readonly verdict: Verdict
  readonly reason: string
}

/** Every difference from the suite. What has no row must come out as the suite says. */
export const decisions: readonly Decision[] = [
  {
    cases: [
      'rfc5280::san::ip-in-dns',
      'rfc5280::ca-as-leaf-wrong-san',
      'webpki::san::mismatch-',
      'webpki::san::wildcard-match-across-labels-san',
      'webpki::san::no-san',
    ],
    verdict: 'accept',
    reason:
      'out of scope: a path is not held against the name of a TLS server; an endorsement key has none',
  },
  {
    cases: [
      'webpki::cn::',
      'webpki::san::public-suffix-',
      'webpki::san::san-critical-with-nonempty-subject',
    ],
    verdict: 'accept',
    reason: 'out of scope: rules of the CA/Browser Forum on names of web servers',
  },
  {
    cases: ['rfc5280::eku::ee-wrong-eku', 'webpki::eku::'],
    verdict: 'accept',
    reason:
      'out of scope: the purpose of a web server; an endorsement key certificate must have its own (ek-extended-key-usage)',
  },
  {
    cases: [
      'webpki::aki::root-with-aki-missing-keyidentifier',
      'webpki::aki::root-with-aki-all-fields',
      'webpki::aki::root-with-aki-ski-mismatch',
      'rfc5280::aki::cross-signed-root-missing-aki',
    ],
    verdict: 'accept',
    reason:
      'what an anchor says of its own issuer is of no account: the operator admitted it by its digest',
  },
  {
    cases: ['webpki::nc::permitted-dns-match-noncritical'],
    verdict: 'refuse',
    reason: 'stricter: name constraints must be critical (RFC 5280 §4.2.1.10)',
  },
  {
    cases: ['crl::issuer-no-keyusage-extension'],
    verdict: 'refuse',
    reason:
      'stricter: an authority must say that it may sign certificates (RFC 5280 §4.2.1.3; verification E1)',
  },
]

/** The row for a case, where there is one. */
export function decisionFor(id: string): Decision | undefined {
  return decisions.find(({ cases }) => cases.some(beginning => id.startsWith(beginning)))
}

/**
 * Cases on what RFC 5280 leaves to the profile of an end entity. They are held to the rules of the endorsement key's
 * profile that are about the same, besides the path.
 */
export const profileCases: Readonly<Record<string, EkCheckCode>> = {
  'webpki::forbidden-p192-leaf': 'ek-key',
  'webpki::forbidden-dsa-leaf': 'ek-key',
  'webpki::forbidden-weak-rsa-in-leaf': 'ek-key-weak',
  'webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf': 'ek-key-weak',
  'webpki::ee-basicconstraints-ca': 'ek-certificate-authority',
  'webpki::ca-as-leaf': 'ek-certificate-authority',
}
