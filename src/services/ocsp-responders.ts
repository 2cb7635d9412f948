import { createResponderCertificate } from '../core/revocation/responder-certificate.ts'
import { parseCertificate } from '../core/x509/certificate.ts'
import type { ResponderKey } from '../ports/responder-key.ts'
import type { Authority } from './authorities.ts'
import { OcspAnswers } from './ocsp-answers.ts'
import { recordOwnIntent } from './own-certificates.ts'
import type { Service } from './service.ts'

/** Who answers for one authority. */
export interface Responder extends ResponderKey {
  /** DER. */
  readonly certificate: Uint8Array
  /** Unix milliseconds. */
  readonly notAfter: number
  readonly renewAt: number
}

/**
 * The delegated responders of this process, one an authority. An authority signs for its responder once in days;
 * while it cannot, the responder goes on until its certificate ends.
 *
 * @see RFC 6960 §2.6
 */
export class OcspResponders {
  /** What they answered without nonce. */
  readonly answers: OcspAnswers = new OcspAnswers()
  readonly #createKey: () => ResponderKey
  readonly #responders = new Map<string, Responder>()
  readonly #pending = new Map<string, Promise<void>>()
  readonly #vouched = new Map<string, number>()

  constructor(createKey: () => ResponderKey) {
    this.#createKey = createKey
  }

  /** The responder of an authority; undefined before it has a certificate, and once that is over. */
  find(authorityId: string, now: number): Responder | undefined {
    const responder = this.#responders.get(authorityId)
    return responder === undefined || responder.notAfter < now ? undefined : responder
  }

  /**
   * Certifies a responder under each authority that still answers and has none or one past half of its life.
   *
   * @throws AggregateError of what signers threw, once the rest is done
   */
  async refresh(service: Service): Promise<void> {
    const now = service.clock.now()
    const due = service.authorities
      .answering(now)
      .filter(({ id }) => (this.#responders.get(id)?.renewAt ?? 0) <= now)
    const outcomes = await Promise.allSettled(
      due.map(async authority => await this.#certifyOnce(service, authority)),
    )
    const failures = outcomes.flatMap(outcome =>
      outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
    )
    if (failures.length > 0) throw new AggregateError(failures, 'responders were not certified')
  }

  async #certifyOnce(service: Service, authority: Authority): Promise<void> {
    let pending = this.#pending.get(authority.id)
    if (pending === undefined) {
      pending = this.#certify(service, authority).finally(() => this.#pending.delete(authority.id))
      this.#pending.set(authority.id, pending)
    }
    await pending
  }

  async #certify(service: Service, authority: Authority): Promise<void> {
    const [issuer] = authority.chain
    if (issuer === undefined) throw new TypeError('an authority has a chain')
    const profile = service.issuance.profiles['ocsp-responder']
    const key = this.#createKey()
    const now = service.clock.now()
    const serial = service.random.bytes(16)
    await recordOwnIntent(service, {
      profile: profile.name,
      authority: authority.id,
      serial,
      spki: key.spki,
    })
    const certificate = await createResponderCertificate(
      {
        profile,
        issuer,
        spki: key.spki,
        serial,
        notBefore: now,
        notAfter: now + profile.maxLifetimeSeconds * 1000,
        throwaway: service.issuance.throwaway,
      },
      authority.signer,
    )
    const { notAfter } = parseCertificate(certificate).fields
    const renewAt = now + (notAfter - now) / 2
    this.#responders.set(authority.id, { ...key, certificate, notAfter, renewAt })
    // What another key signed goes on being good; what this one answers names this one.
    this.answers.clear()
  }

  /** Says that a certificate of this process's own, which no store knows, is good until it ends. */
  vouch(authorityId: string, serial: string, notAfter: number): void {
    this.#vouched.set(`${authorityId}/${serial}`, notAfter)
  }

  /** Whether {@link vouch} was said of a certificate that is not over. */
  isVouched(authorityId: string, serial: string, now: number): boolean {
    for (const [key, notAfter] of this.#vouched) if (notAfter < now) this.#vouched.delete(key)
    return this.#vouched.has(`${authorityId}/${serial}`)
  }
}
