import { CodedError } from '../core/coded-error.ts'
import { parsePublicJwk, thumbprint } from '../core/jose/jwk.ts'
import { parseJws } from '../core/jose/jws.ts'
import { Answer } from './answer.ts'
import { ClientError } from './client-error.ts'
import { RemoteError } from './remote-error.ts'

/** As metadata name the combined mode: one DPoP proof is client authentication and binding. */
export const combinedMode = 'attest_jwt_client_auth_dpop'

/** Where a client keeps its attestation from one run to the next. */
export interface AttestationPlace {
  load(): Promise<string | undefined>
  save(attestation: string): Promise<void>
  /** Told why tokens are fetched by the proof alone, once. */
  onProofAlone(reason: string): void
}

/** What a client asks its service for, to get an attestation. */
export interface AttestationSource {
  /** The authorization server's metadata (RFC 8414 §3). */
  metadata(): Promise<unknown>
  /** The answer of `POST /v1/client-attestations`. */
  attest(): Promise<unknown>
}

interface KeptAttestation {
  readonly text: string
  /** Unix milliseconds. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/** Not used for the last seconds of its life: the request is still under way then. */
const usedBeforeEndMs = 30_000

/**
 * The client attestation of one key: kept privately, renewed when two thirds of its life are over, fetched anew where it
 * speaks for another key or cannot be read.
 *
 * @see draft-ietf-oauth-attestation-based-client-auth-10 §4, §5.2
 */
export class ClientAttestations {
  readonly #jkt: string
  readonly #place: AttestationPlace
  readonly #source: AttestationSource
  readonly #now: () => number
  #kept: Promise<KeptAttestation | undefined> | undefined
  #renewal: Promise<KeptAttestation> | undefined
  #isSpoken: Promise<boolean> | undefined

  /** @param jkt thumbprint of the key that the attestation must be for */
  constructor(jkt: string, place: AttestationPlace, source: AttestationSource, now: () => number) {
    this.#jkt = jkt
    this.#place = place
    this.#source = source
    this.#now = now
  }

  /** The one that is kept, as long as it can be used. Throws PrivateFileError of the place. */
  async kept(): Promise<string | undefined> {
    const kept = await (this.#kept ??= this.#load().catch((cause: unknown) => {
      this.#kept = undefined
      throw cause
    }))
    return kept !== undefined && kept.expiresAt - usedBeforeEndMs > this.#now()
      ? kept.text
      : undefined
  }

  /**
   * One to be used now; undefined where the service does not speak the combined mode, which is said at the place.
   *
   * @throws ClientError `service-answer`; RemoteError where the service does not attest
   */
  async current(): Promise<string | undefined> {
    const text = await this.kept()
    const kept = await this.#kept
    if (text !== undefined && kept !== undefined && !isDue(kept, this.#now())) return text
    return await this.renew()
  }

  /** A fresh one in the place of what was kept; callers at once share it. Throws as {@link current}. */
  async renew(): Promise<string | undefined> {
    if (!(await this.#requireSpoken())) return undefined
    this.#renewal ??= this.#fetch().finally(() => (this.#renewal = undefined))
    return (await this.#renewal).text
  }

  /** Uses the kept one no more: the service refused it. */
  forget(): void {
    this.#kept = Promise.resolve(undefined)
  }

  async #requireSpoken(): Promise<boolean> {
    this.#isSpoken ??= this.#askWhetherSpoken()
    try {
      return await this.#isSpoken
    } catch (cause) {
      this.#isSpoken = undefined
      throw cause
    }
  }

  async #askWhetherSpoken(): Promise<boolean> {
    const metadata = (await this.#source.metadata()) as Record<string, unknown> | null
    const methods = metadata?.['token_endpoint_auth_methods_supported']
    const isSpoken = Array.isArray(methods) && methods.includes(combinedMode)
    if (!isSpoken)
      this.#place.onProofAlone(
        `The metadata of the service do not list ${combinedMode}: tokens are fetched by the DPoP proof alone.`,
      )
    return isSpoken
  }

  async #load(): Promise<KeptAttestation | undefined> {
    const text = await this.#place.load()
    return text === undefined ? undefined : readAttestation(text.trim(), this.#jkt)
  }

  async #fetch(): Promise<KeptAttestation> {
    const answer = new Answer(await this.#source.attest(), 'attestation')
    const fresh = readAttestation(answer.text('clientAttestation'), this.#jkt)
    if (fresh === undefined)
      throw new ClientError('service-answer', { expected: 'a client attestation for this key' })
    await this.#place.save(`${fresh.text}\n`)
    this.#kept = Promise.resolve(fresh)
    return fresh
  }
}

/** Whether the service refused the attestation and not the request (draft §7.4). */
export function refusesAttestation(error: unknown): boolean {
  const codes: unknown[] = ['invalid_client_attestation', 'use_fresh_attestation']
  return error instanceof RemoteError && codes.includes(error.document['error'])
}

function isDue({ issuedAt, expiresAt }: KeptAttestation, now: number): boolean {
  return now >= issuedAt + ((expiresAt - issuedAt) * 2) / 3
}

/**
 * For which key and how long, as the attestation itself says: the service verifies it, the client needs to know whether
 * to send it. Undefined for what is of no use: another key, or no attestation.
 */
function readAttestation(text: string, jkt: string): KeptAttestation | undefined {
  try {
    const { payload } = parseJws(text)
    const { iat, exp, cnf } = payload
    const jwk = (cnf as { jwk?: unknown } | null | undefined)?.jwk
    if (!Number.isSafeInteger(iat) || !Number.isSafeInteger(exp)) return undefined
    if (thumbprint(parsePublicJwk(jwk)) !== jkt) return undefined
    return { text, issuedAt: Number(iat) * 1000, expiresAt: Number(exp) * 1000 }
  } catch (cause) {
    if (cause instanceof CodedError) return undefined
    throw cause
  }
}
