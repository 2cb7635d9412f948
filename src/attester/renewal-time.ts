import { createHash, X509Certificate } from 'node:crypto'
import {
  renewalMoment,
  suggestWindow,
  type RenewalWindow,
} from '../core/issuance/renewal-window.ts'
import { Answer } from './answer.ts'
import { AttesterError } from './error.ts'
import type { Home } from './home.ts'
import { parsePemChain } from './pem-chain.ts'
import { certificateIdOf } from './renewal.ts'
import type { ServiceClient } from './service-client.ts'

/** What a service suggests, and where inside the window this holder renews. */
export interface RenewalHint {
  /** Undefined where the service did not say; then it is the usual one for the certificate. */
  readonly window?: RenewalWindow | undefined
  /** As `renewalMoment` takes it. */
  readonly jitter: number
}

/**
 * When a certificate of this home is to be renewed, Unix milliseconds; at once, which is zero, where nobody who keeps
 * the trust bundle would accept it any more.
 *
 * @param file a certificate chain in PEM, the holder's own first
 * @param roots DER; what the trust bundle says is trusted
 * @throws HomeError `home-malformed`
 */
export async function renewalTime(
  home: Home,
  file: string,
  roots: readonly Uint8Array[],
  hint: RenewalHint,
): Promise<number> {
  const chain = parsePemChain(home.path(file), await home.readText(file))
  const [own, top] = [chain[0], chain.at(-1)]
  if (own === undefined || top === undefined || !isBelow(top, roots)) return 0
  const [notBefore, notAfter] = [Date.parse(own.validFrom), Date.parse(own.validTo)]
  return renewalMoment(hint.window ?? suggestWindow({ notBefore, notAfter }), hint.jitter)
}

/**
 * Asks the service when to renew the certificate of a file; undefined where there is none to ask about.
 *
 * @throws HomeError `home-malformed`; AttesterError `answer-malformed`; ClientError, RemoteError
 * @see RFC 9773 §4
 */
export async function askRenewalWindow(
  client: ServiceClient,
  home: Home,
  file: string,
): Promise<RenewalWindow | undefined> {
  const [own] = parsePemChain(home.path(file), await home.readText(file))
  const id = own && certificateIdOf(own)
  if (id === undefined) return undefined
  const answer = new Answer(await client.request('GET', `/v1/renewal-info/${id}`), 'renewal')
  const window = answer.within('suggestedWindow')
  const [start, end] = ['start', 'end'].map(name => Date.parse(window.text(name)))
  if (start === undefined || end === undefined || !(start <= end))
    throw new AttesterError('answer-malformed', { expected: 'renewal.suggestedWindow: two times' })
  return { start, end }
}

/**
 * Where in its windows a certificate is renewed, from 0 up to 1: the same however often it is asked for, and spread
 * evenly over certificates, since their serial numbers are random.
 */
export async function jitterOf(home: Home, file: string): Promise<number> {
  const text = await home.readText(file)
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32
}

function isBelow(top: X509Certificate, roots: readonly Uint8Array[]): boolean {
  return roots
    .map(der => new X509Certificate(der))
    .some(
      root =>
        root.fingerprint256 === top.fingerprint256 ||
        (top.checkIssued(root) && top.verify(root.publicKey)),
    )
}
