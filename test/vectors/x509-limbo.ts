import { CodedError } from '../../src/core/coded-error.ts'
import { profileChecks } from '../../src/core/ek/profile.ts'
import { parseCertificate, type Certificate } from '../../src/core/x509/certificate.ts'
import { parseCertificateList } from '../../src/core/x509/crl.ts'
import { verifyPath, type CertificationPath } from '../../src/core/x509/path.ts'
import { revocationStatusOf } from '../../src/core/x509/revocation.ts'
import { derOf } from './certificates.ts'
import { decisionFor, profileCases } from './x509-limbo-decisions.ts'
import type { Finding, ManifestEntry, Verdict } from './vector.ts'

/** One case of the suite; what is left out here are the expectations of a TLS server's name. */
interface LimboCase {
  readonly id: string
  readonly trusted_certs: readonly string[]
  readonly untrusted_intermediates: readonly string[]
  readonly peer_certificate: string
  readonly validation_time: string | null
  readonly expected_result: 'SUCCESS' | 'FAILURE'
  readonly max_chain_depth: number | null
  readonly crls: readonly string[]
}

/** For cases without a time of their own, so that a run is the same every day. */
const someTime = '2026-06-01T00:00:00Z'

/**
 * All cases of the suite, each by path validation as endorsement keys get it. Where this service decided otherwise, or
 * the case is about what no endorsement key has, {@link decisionFor} says why, and its verdict is expected.
 */
export function check(_entry: ManifestEntry, bytes: Uint8Array): Finding[] {
  const suite = JSON.parse(Buffer.from(bytes).toString('utf8')) as { testcases: LimboCase[] }
  return suite.testcases.map(testcase => {
    const stated = testcase.expected_result === 'SUCCESS' ? 'accept' : 'refuse'
    const decision = decisionFor(testcase.id)
    const { found, detail } = run(testcase)
    const reason = decision === undefined ? detail : `${detail}; decided: ${decision.reason}`
    return { name: testcase.id, expected: decision?.verdict ?? stated, found, detail: reason }
  })
}

function run(testcase: LimboCase): { found: Verdict; detail: string } {
  try {
    const path = verifyCase(testcase)
    requireProfile(path, testcase)
    requireUnrevoked(path, testcase)
    return { found: 'accept', detail: '' }
  } catch (error) {
    if (error instanceof CodedError) return { found: 'refuse', detail: error.code }
    if (error instanceof Refused) return { found: 'refuse', detail: error.message }
    throw error
  }
}

function timeOf({ validation_time }: LimboCase): number {
  return Date.parse(validation_time ?? someTime)
}

function verifyCase(testcase: LimboCase): CertificationPath {
  return verifyPath({
    leaf: parseCertificate(derOf(Buffer.from(testcase.peer_certificate))),
    intermediates: testcase.untrusted_intermediates.flatMap(parseOrNone),
    anchors: testcase.trusted_certs.flatMap(parseOrNone),
    time: timeOf(testcase),
    ...(testcase.max_chain_depth === null ? {} : { maxIntermediates: testcase.max_chain_depth }),
  })
}

/** A certificate that cannot be read leads nowhere; a case that depends on it is refused for want of a path. */
function parseOrNone(pem: string): Certificate[] {
  try {
    return [parseCertificate(derOf(Buffer.from(pem)))]
  } catch (error) {
    if (error instanceof CodedError) return []
    throw error
  }
}

/** Refused by something else than a coded error of the path. */
class Refused extends Error {}

function requireProfile({ certificates }: CertificationPath, testcase: LimboCase): void {
  const code = profileCases[testcase.id]
  const rule = profileChecks.find(profile => profile.code === code)
  const [leaf] = certificates
  if (rule === undefined || leaf === undefined) return
  const scope = {
    vendor: '',
    time: timeOf(testcase),
    isExpiryTolerated: false,
    tolerates: () => false,
  }
  if (rule.violation(leaf, scope) !== undefined) throw new Refused(rule.code)
}

/** The end entity is revoked, or a list was given and says nothing that counts. */
function requireUnrevoked({ certificates }: CertificationPath, testcase: LimboCase): void {
  const [leaf, issuer] = certificates
  if (testcase.crls.length === 0 || leaf === undefined || issuer === undefined) return
  const lists = testcase.crls.map(pem => parseCertificateList(derOf(Buffer.from(pem))))
  const freshness = { time: timeOf(testcase), maxAgeSeconds: 1000 * 365 * 86_400 }
  const { outcome, detail } = revocationStatusOf(leaf, issuer, { lists, responses: [] }, freshness)
  if (outcome !== 'good') throw new Refused(`${outcome}: ${detail}`)
}
