import { encodeSigned, wholeSeconds } from '../issuance/assembly.ts'
import { prepareIssuer } from '../issuance/issuer.ts'
import { isSameBytes } from '../issuance/lint.ts'
import { revocationReasons } from '../status/revocation-reason.ts'
import { parseCertificateList, type CertificateList } from '../x509/crl.ts'
import type { CertificateListRequest } from './certificate-list.ts'
import { parseRevocationDates } from './revocation-date.ts'
import { CrlLintError, type CrlLintCode } from './error.ts'

/** One rule for a list that is about to be signed: whether it holds. */
const lints: readonly {
  readonly code: CrlLintCode
  readonly holds: (list: CertificateList, request: CertificateListRequest) => boolean
}[] = [
  {
    code: 'crl-lint-issuer',
    holds: ({ issuer, authorityKeyIdentifier }, request) => {
      const { name, keyIdentifier } = prepareIssuer(request.issuer)
      return (
        isSameBytes(issuer.encoded, name) &&
        authorityKeyIdentifier !== undefined &&
        isSameBytes(authorityKeyIdentifier, keyIdentifier)
      )
    },
  },
  {
    code: 'crl-lint-time',
    holds: ({ thisUpdate, nextUpdate }, request) =>
      thisUpdate === wholeSeconds(request.thisUpdate) &&
      nextUpdate === wholeSeconds(request.nextUpdate) &&
      request.nextUpdate > request.thisUpdate,
  },
  {
    code: 'crl-lint-number',
    holds: ({ number }, request) => number === BigInt(request.number) && number > 0n,
  },
  {
    code: 'crl-lint-scope',
    holds: ({ scope, distributionPoints }, { url }) =>
      url === undefined
        ? scope === 'all' && distributionPoints === undefined
        : scope === 'end-entities' && String(distributionPoints) === url,
  },
  {
    code: 'crl-lint-entries',
    holds: (list, { revoked }) =>
      list.revoked.size === revoked.length &&
      revoked.every(({ serial, reason }) => list.revoked.get(serial) === revocationReasons[reason]),
  },
  {
    code: 'crl-lint-revocation-date',
    holds: ({ signed, thisUpdate }, { revoked }) => {
      const dates = parseRevocationDates(signed)
      return revoked.every(({ revokedAt }, index) => {
        const date = dates[index]
        return date === wholeSeconds(revokedAt) && date <= thisUpdate
      })
    },
  },
]

/**
 * Reads a copy that a throwaway key signed with the reader of other people's lists, and holds each rule against it.
 *
 * @param tbs DER TBSCertList
 * @throws CrlLintError
 */
export function lintCertificateList(tbs: Uint8Array, request: CertificateListRequest): void {
  const { signatureAlgorithm: algorithm, throwaway } = request
  const list = readBack(encodeSigned(tbs, algorithm, throwaway[algorithm](tbs)))
  for (const { code, holds } of lints) {
    if (!holds(list, request))
      throw new CrlLintError(code, { found: request.url ?? 'the complete list' })
  }
}

/** The bytes are our own: whatever a reader has against them is a finding. */
function readBack(bytes: Uint8Array): CertificateList {
  try {
    return parseCertificateList(bytes)
  } catch (cause) {
    throw new CrlLintError('crl-lint-form', { found: String(cause), cause })
  }
}
