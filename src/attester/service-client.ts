import { randomBytes } from 'node:crypto'
import type { Agent } from 'node:https'
import {
  ClientAttestations,
  refusesAttestation,
  type AttestationPlace,
} from './client-attestation.ts'
import { ClientError } from './client-error.ts'
import type { ClientKey } from './client-key.ts'
import { createDpopProof, type ProofRequest, type ProofSources } from './dpop.ts'
import { exchange, type Exchange, type ExchangeRequest } from './http-exchange.ts'
import { OwnToken } from './own-token.ts'
import { createPinnedAgent, discoverRoot, fingerprintOf, parseFingerprint } from './pinned-tls.ts'
import {
  asksForNonce,
  parseTokenAnswer,
  readBytes,
  readJson,
  type TokenAnswer,
} from './service-answer.ts'
import { tokenParameters, type WantedToken } from './token-request.ts'

/**
 * By what a client knows the service: the fingerprint of its root, or the root itself (DER) with those that came after
 * it in the trust bundle.
 */
export type ServiceTrust =
  | { readonly fingerprint: string }
  | { readonly root: Uint8Array; readonly roots?: readonly Uint8Array[] }

/** What a client is made of. */
export interface ServiceClientOptions extends Partial<ProofSources> {
  /** The service's name and address: an https URL without path. */
  readonly issuer: string
  readonly trust: ServiceTrust
  /** The key that speaks for the caller; without one only what is open to everybody can be asked for. */
  readonly key?: ClientKey | undefined
  /**
   * Where a host or agent keeps the attestation of its key: with one, tokens are fetched in the combined mode. Without a
   * place the DPoP proof alone authenticates, as it does operators, whom nothing attests.
   */
  readonly attestation?: AttestationPlace | undefined
}

/** What goes to the service, and under which roots. */
interface Connection {
  /** By which the service was known first. */
  readonly root: Uint8Array
  readonly roots: readonly Uint8Array[]
  readonly agent: Agent
}

const json = { 'Content-Type': 'application/json', Accept: 'application/json' }
const form = { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' }

/**
 * A caller of the service. Everything goes over TLS 1.3 under the pinned root; nothing is sent before it matched. Each
 * call of the API carries a token bound to the key and a proof by it.
 *
 * What the service refuses is thrown as RemoteError; what keeps from talking to it, as ClientError.
 */
export class ServiceClient {
  readonly issuer: string
  readonly #url: URL
  readonly #trust: ServiceTrust
  readonly #key: ClientKey | undefined
  readonly #sources: ProofSources
  readonly #attestations: ClientAttestations | undefined
  readonly #ownToken: OwnToken
  readonly #formerAgents: Agent[] = []
  #connection: Promise<Connection> | undefined
  #nonce: string | undefined

  private constructor(url: URL, trust: ServiceTrust, options: ServiceClientOptions) {
    this.issuer = url.origin
    this.#url = url
    this.#trust = trust
    this.#key = options.key
    const now = (): number => this.#sources.clock.now()
    this.#attestations = this.#keepAttestation(options, now)
    this.#ownToken = new OwnToken(async () => await this.#fetchOwnToken(), now)
    this.#sources = {
      clock: options.clock ?? { now: () => Date.now() },
      random: options.random ?? { bytes: length => randomBytes(length) },
    }
  }

  /** Throws ClientError `service-address`, `fingerprint-malformed`. Connects with the first request. */
  static create(options: ServiceClientOptions): ServiceClient {
    const { trust } = options
    const url = parseIssuer(options.issuer)
    if ('root' in trust) return new ServiceClient(url, trust, options)
    return new ServiceClient(url, { fingerprint: parseFingerprint(trust.fingerprint) }, options)
  }

  /** The root certificate of the service, DER: given, or found by its fingerprint. */
  async root(): Promise<Uint8Array> {
    return (await this.#connect()).root
  }

  /** Believes these roots (DER) and no others from the next request on: the trust bundle says so. */
  async trust(roots: readonly Uint8Array[]): Promise<void> {
    const connection = await this.#connect()
    if (sameRoots(connection.roots, roots)) return
    // What is under way goes on; where there is nothing more to send, the connection ends by itself.
    this.#formerAgents.push(connection.agent)
    const next = { root: connection.root, roots, agent: createPinnedAgent(roots) }
    this.#connection = Promise.resolve(next)
  }

  /** `sha256:` and hex of the root. */
  async fingerprint(): Promise<string> {
    return fingerprintOf(await this.root())
  }

  /** Asks for what is open to everybody; a body is sent as JSON, and the answer is read as JSON. */
  async request(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    return readJson(await this.#send({ method, path, headers: json, ...bodyOf(body) }))
  }

  /** Asks for what is open to everybody and is not JSON; undefined where there is nothing. */
  async readRaw(path: string): Promise<Uint8Array | undefined> {
    return readBytes(await this.#send({ method: 'GET', path }))
  }

  /** Calls the service's API as the holder of the key: with its token and a proof for this request. */
  async call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    return readJson(await this.#callWithNonce({ method, path, headers: json, ...bodyOf(body) }))
  }

  /** As {@link call}, with form parameters: as the OAuth endpoints take them. */
  async callForm(path: string, parameters: URLSearchParams): Promise<unknown> {
    const body = parameters.toString()
    return readJson(await this.#callWithNonce({ method: 'POST', path, headers: form, body }))
  }

  /** As {@link call}, for what is not JSON. */
  async callRaw(path: string): Promise<Uint8Array | undefined> {
    return readBytes(await this.#callWithNonce({ method: 'GET', path }))
  }

  /**
   * Fetches an access token bound to the key: one signature, the proof, once the service's nonce is known. Beside the
   * proof goes the client attestation, where one is kept and the service speaks of it; one that the service refuses is
   * fetched anew, once.
   *
   * @param wanted what is left out is the service's choice
   */
  async token(wanted: WantedToken = {}): Promise<TokenAnswer> {
    const parameters = tokenParameters(wanted)
    const attestation = await this.#attestations?.current()
    try {
      return await this.#fetchToken(parameters, attestation)
    } catch (cause) {
      if (attestation === undefined || !refusesAttestation(cause)) throw cause
      this.#attestations?.forget()
      return await this.#fetchToken(parameters, await this.#attestations?.renew())
    }
  }

  /** Has the client attestation renewed, where there is a place for one; with its certificate, say. */
  async attest(): Promise<void> {
    await this.#attestations?.renew()
  }

  /** A DPoP proof by the key for one request, wherever that goes. */
  async proof(wanted: ProofRequest): Promise<string> {
    return await createDpopProof(this.#requireKey(), wanted, this.#sources)
  }

  /** Closes the connections; the key stays its owner's. */
  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined)
    for (const agent of [...this.#formerAgents, connection?.agent]) agent?.destroy()
  }

  #requireKey(): ClientKey {
    if (this.#key === undefined) throw new ClientError('key-absent', { expected: this.issuer })
    return this.#key
  }

  async #callWithNonce(wanted: ExchangeRequest): Promise<Exchange> {
    const first = await this.#callOnce(wanted)
    return asksForNonce(first) ? await this.#callOnce(wanted) : first
  }

  async #callOnce(wanted: ExchangeRequest): Promise<Exchange> {
    const accessToken = await this.#ownToken.current()
    const url = `${this.issuer}${wanted.path}`
    const DPoP = await this.proof({
      method: wanted.method,
      url,
      accessToken,
      nonce: this.#nonce,
    })
    const headers = { ...wanted.headers, Authorization: `DPoP ${accessToken}`, DPoP }
    const answer = await this.#send({ ...wanted, headers })
    // A token that the service no longer takes is not offered again.
    if (answer.status === 401 && !asksForNonce(answer)) this.#ownToken.forget()
    return answer
  }

  /** Without an attestation at hand by the proof alone: it takes such a token to be attested. */
  async #fetchOwnToken(): Promise<TokenAnswer> {
    const parameters = tokenParameters({ resource: this.issuer })
    const attestation = await this.#attestations?.kept()
    try {
      return await this.#fetchToken(parameters, attestation)
    } catch (cause) {
      if (attestation === undefined || !refusesAttestation(cause)) throw cause
      this.#attestations?.forget()
      return await this.#fetchToken(parameters, undefined)
    }
  }

  async #fetchToken(
    parameters: URLSearchParams,
    attestation: string | undefined,
  ): Promise<TokenAnswer> {
    this.#nonce ??= await this.#askForNonce()
    const url = `${this.issuer}/oauth/token`
    const attested = attestation === undefined ? {} : { 'OAuth-Client-Attestation': attestation }
    const attempt = async (): Promise<Exchange> => {
      const DPoP = await this.proof({ method: 'POST', url, nonce: this.#nonce })
      return await this.#postForm({ ...form, ...attested, DPoP }, parameters)
    }
    const first = await attempt()
    const answer = asksForNonce(first) ? await attempt() : first
    return parseTokenAnswer(readJson(answer))
  }

  #keepAttestation(
    { key, attestation }: ServiceClientOptions,
    now: () => number,
  ): ClientAttestations | undefined {
    if (key === undefined || attestation === undefined) return undefined
    const source = {
      metadata: async () => await this.request('GET', '/.well-known/oauth-authorization-server'),
      attest: async () => await this.call('POST', '/v1/client-attestations', {}),
    }
    return new ClientAttestations(key.jkt, attestation, source, now)
  }

  /** A request without proof is refused with a nonce, and costs the key no signature (RFC 9449 §8). */
  async #askForNonce(): Promise<string | undefined> {
    await this.#postForm(form, new URLSearchParams({ grant_type: 'client_credentials' }))
    return this.#nonce
  }

  async #postForm(
    headers: Readonly<Record<string, string>>,
    parameters: URLSearchParams,
  ): Promise<Exchange> {
    return await this.#send({
      method: 'POST',
      path: '/oauth/token',
      headers,
      body: parameters.toString(),
    })
  }

  async #send(wanted: ExchangeRequest): Promise<Exchange> {
    const { agent } = await this.#connect()
    const answer = await exchange(agent, this.#url, wanted)
    const nonce = answer.headers['dpop-nonce']
    if (typeof nonce === 'string' && nonce !== '') this.#nonce = nonce
    return answer
  }

  async #connect(): Promise<Connection> {
    this.#connection ??= this.#openConnection()
    try {
      return await this.#connection
    } catch (cause) {
      this.#connection = undefined
      throw cause
    }
  }

  async #openConnection(): Promise<Connection> {
    const root =
      'root' in this.#trust
        ? this.#trust.root
        : await discoverRoot(this.#url, this.#trust.fingerprint)
    const roots = ('root' in this.#trust ? this.#trust.roots : undefined) ?? [root]
    return { root, roots, agent: createPinnedAgent(roots) }
  }
}

function parseIssuer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isAddress =
    url?.protocol === 'https:' &&
    url.username === '' &&
    url.password === '' &&
    url.pathname === '/' &&
    url.search === '' &&
    url.hash === ''
  if (!isAddress) throw new ClientError('service-address', { found: text.slice(0, 200) })
  return url
}

function sameRoots(left: readonly Uint8Array[], right: readonly Uint8Array[]): boolean {
  return (
    left.length === right.length &&
    left.every((root, index) => Buffer.compare(root, right[index] ?? new Uint8Array()) === 0)
  )
}

function bodyOf(body: unknown): { body?: string } {
  return body === undefined ? {} : { body: JSON.stringify(body) }
}
