import { keyUsages, parseCertificate, type Certificate } from '../x509/certificate.ts'
import { verifyPath } from '../x509/path.ts'
import { isSignedBy } from '../x509/revocation-signer.ts'
import { verifyIssuer, type CeremonyAuthority } from './authority.ts'
import { CeremonyError } from './error.ts'

/** Issuing authority, those in between, root. */
const longest = 5

/**
 * Verifies the certificates under which a service is to issue, made elsewhere: the issuing authority first, each signed
 * by the next, a root that signs itself last; all in force, with room for end entities below the first.
 *
 * @param chain DER
 * @returns the issuing authority
 * @throws X509Error `certificate-malformed`; CeremonyError `ceremony-chain`, `ceremony-issuer`, `ceremony-key`;
 *   PathError
 * @see RFC 5280 §6.1
 */
export function verifyIssuingChain(
  chain: readonly Uint8Array[],
  { trustDomain, now }: { readonly trustDomain: string; readonly now: number },
): CeremonyAuthority {
  const [first = new Uint8Array()] = chain
  if (chain.length < 2 || chain.length > longest)
    throw new CeremonyError('ceremony-chain', {
      expected: `an issuing certificate, those above it, and the root; ${longest} at most`,
      found: `${chain.length} certificates`,
    })
  const issuing = verifyIssuer(first, { trustDomain, now, usage: 'keyCertSign' })
  requireLists(issuing.certificate)
  requirePath(chain.map(parseCertificate), now)
  return issuing
}

/** The service publishes revocation lists under the same key. */
function requireLists({ fields: { extensions } }: Certificate): void {
  if (((extensions.keyUsage ?? 0) & keyUsages.cRLSign) === 0)
    throw new CeremonyError('ceremony-issuer', { expected: 'cRLSign', found: 'no right to' })
}

function requirePath(chain: readonly Certificate[], now: number): void {
  const [leaf, ...above] = chain
  const root = above.at(-1)
  if (leaf === undefined || root === undefined) throw new TypeError('two certificates or more')
  if (!root.isSelfIssued || !isSignedBy(root.fields, root))
    throw new CeremonyError('ceremony-chain', { expected: 'a root that signs itself, last' })
  const { certificates } = verifyPath({
    leaf,
    intermediates: above.slice(0, -1),
    anchors: [root],
    time: now,
  })
  if (certificates.some(({ fingerprint }, index) => fingerprint !== chain[index]?.fingerprint))
    throw new CeremonyError('ceremony-chain', { expected: 'each certificate signed by the next' })
  const short = chain.findIndex(
    ({ fields }, index) => (fields.extensions.basicConstraints?.pathLength ?? index) < index,
  )
  if (short >= 0)
    throw new CeremonyError('ceremony-chain', {
      expected: `a path length of ${short} or more in certificate ${short + 1}`,
    })
}
