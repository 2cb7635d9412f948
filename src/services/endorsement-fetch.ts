import { CodedError } from '../core/coded-error.ts'
import { revocationModeOf } from '../core/verifier/endorsement-policy.ts'
import { EvidenceError } from '../core/verifier/error.ts'
import { verifyEndorsementKey, type EndorsementKey } from '../core/verifier/endorsement-key.ts'
import { parseCertificate } from '../core/x509/certificate.ts'
import { missingIssuerLocations } from '../core/x509/missing-issuer.ts'
import type { Outbound } from '../ports/outbound.ts'
import { loadAuthorities, loadEndorsementBasis, type EnrollmentRequest } from './enrollment-keys.ts'
import { keepRevocationList } from './revocation-lists.ts'
import { recordingPolicy } from './revocation-sources.ts'
import type { Service } from './service.ts'

/** One location that a certificate named, and what came of it. The log has no more of it: it may name the machine. */
export interface FetchedFact {
  /** Name of the host; empty where the location has none. */
  readonly host: string
  /** The code of why nothing was taken in, or the word `fetched`. */
  readonly outcome: string
}

/** A request with what was missing above its certificate, as far as that could be fetched. */
export interface CompletedRequest {
  readonly request: EnrollmentRequest
  readonly fetched: readonly FetchedFact[]
}

/** Locations asked for one enrolment, for issuers and again for lists: a certificate can name many. */
const limit = 4

/**
 * Fetches what issuers publish and the service lacks: certificates above the endorsement key's own, which then are
 * hints like those that the host sends, and lists of revoked certificates, which are kept once they are verified under
 * the path. Decides nothing: what could not be fetched is missing as before. Runs before anything of the enrolment is
 * kept, in no transaction.
 *
 * @see RFC 5280 §4.2.2.1, §4.2.1.13; verification E9, E10
 */
export async function fetchMissing(
  service: Service,
  request: EnrollmentRequest,
): Promise<CompletedRequest> {
  const { outbound } = service
  const { certificate } = request.endorsementKey
  if (outbound === undefined || certificate === null) return { request, fetched: [] }
  const issuers = await fetchIssuers(service, outbound, request, certificate)
  const lists = await fetchLists(service, outbound, issuers.request, certificate)
  return { request: issuers.request, fetched: [...issuers.fetched, ...lists] }
}

async function fetchIssuers(
  service: Service,
  outbound: Outbound,
  request: EnrollmentRequest,
  certificate: Uint8Array,
): Promise<CompletedRequest> {
  const { anchors, intermediates } = await loadAuthorities(service)
  const ends = anchors.map(anchor => anchor.certificate)
  const fetched: FetchedFact[] = []
  const asked = new Set<string>()
  const chain = [...request.endorsementKey.chain]
  while (fetched.length < limit) {
    const known = [...chain, ...intermediates]
    const locations = missingIssuerLocations(certificate, known, ends)
    const location = locations.filter(isUsable).find(text => !asked.has(text))
    if (location === undefined) break
    asked.add(location)
    fetched.push(
      await fetchFact(outbound, location, async bytes => {
        parseCertificate(bytes)
        chain.push(bytes)
      }),
    )
  }
  const endorsementKey = { ...request.endorsementKey, chain }
  return { request: { ...request, endorsementKey }, fetched }
}

async function fetchLists(
  service: Service,
  outbound: Outbound,
  request: EnrollmentRequest,
  certificate: Uint8Array,
): Promise<FetchedFact[]> {
  const key = await findPath(service, request, certificate)
  const fetched: FetchedFact[] = []
  const answered = new Set<Uint8Array>()
  for (const { location, issuer } of publishedLists(key).slice(0, limit)) {
    if (answered.has(issuer)) continue
    const fact = await fetchFact(outbound, location, async list => {
      await keepRevocationList(service, 'service', { list, source: location }, [issuer])
      answered.add(issuer)
    })
    fetched.push(fact)
  }
  return fetched
}

/** A location is the certificate's word, and is kept with what came from there: printable, and of some length. */
function isUsable(location: string): boolean {
  return /^[\x20-\x7E]{1,300}$/.test(location)
}

/** Fetches and takes in; a coded refusal of either is an outcome. */
async function fetchFact(
  outbound: Outbound,
  location: string,
  takeIn: (bytes: Uint8Array) => Promise<void>,
): Promise<FetchedFact> {
  const host = URL.canParse(location) ? new URL(location).hostname : ''
  try {
    await takeIn(await outbound.fetch(location))
    return { host, outcome: 'fetched' }
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    return { host, outcome: cause.code }
  }
}

/** The key with its path, where somebody's word on revocation may count; undefined where none does, or it fails. */
async function findPath(
  service: Service,
  { endorsementKey }: EnrollmentRequest,
  certificate: Uint8Array,
): Promise<EndorsementKey | undefined> {
  const { endorsementPolicy, ...basis } = await loadEndorsementBasis(service)
  const policy = recordingPolicy(endorsementPolicy)
  const now = new Date(service.clock.now())
  try {
    const key = verifyEndorsementKey({ ...endorsementKey, certificate, ...basis, policy, now })
    return revocationModeOf(policy, key.vendor ?? '') === 'off' ? undefined : key
  } catch (cause) {
    // The verification that decides says so, and why.
    if (cause instanceof EvidenceError) return undefined
    throw cause
  }
}

/** Where lists are published that are missing for a verified path, with the certificate of who may sign them. */
function publishedLists(
  key: EndorsementKey | undefined,
): { readonly location: string; readonly issuer: Uint8Array }[] {
  const { path = [], revocation = [] } = key ?? {}
  return revocation.flatMap(({ outcome }, at) => {
    const [certificate, issuer] = [path[at], path[at + 1]]
    if (outcome !== 'unavailable' || certificate === undefined || issuer === undefined) return []
    const { crlDistributionPoints = [] } = parseCertificate(certificate).fields.extensions
    return crlDistributionPoints.filter(isUsable).map(location => ({ location, issuer }))
  })
}
