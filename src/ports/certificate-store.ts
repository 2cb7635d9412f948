import type {
  CertificateRecord,
  ChallengeRecord,
  ChallengeUse,
  RenewalRecord,
} from './credential-records.ts'
import type { AuditEntry } from './records.ts'

/** Nonces for proving a key. */
export interface ChallengeStore {
  create(challenge: ChallengeRecord, entry: AuditEntry): Promise<'done'>
  /** What `take` would give, and leaves it there. */
  find(use: ChallengeUse, now: number): Promise<ChallengeRecord | 'unknown' | 'used' | 'expired'>
  /** As `EnrollmentStore.take`: exactly one caller gets it. */
  take(use: ChallengeUse, now: number): Promise<ChallengeRecord | 'unknown' | 'used' | 'expired'>
  /** Records why an answer was refused; the challenge is over with it, if it was not before. */
  refuse(use: ChallengeUse, now: number, entry: AuditEntry): Promise<'done'>
}

/** Why an intent is not recorded. */
export type IntentRefusal =
  | 'subject-revoked'
  | 'attestation-expired'
  | 'attestation-outdated'
  | 'authority-inactive'
  | 'challenge-used'
  | 'renewed'
  | 'hsm-key-retired'

/** Certificates from their intent on. */
export interface CertificateStore {
  /**
   * Records the intent to sign, before the signature exists. Refuses when the subject or its host is not active, or
   * `notAfter` lies past the host's Attestation Result, or the host was seen in another boot than it attested, or the
   * authority does not issue any more. Takes `challenge` with it, where one is named. `'renewed'` where a certificate
   * answers the same renewal already, or is about to: then the challenge stays. One that was over, revoked, or never
   * became known answers no more. `hsmKey` is the thumbprint of the registered attestation key that vouched, where one
   * did: `'hsm-key-retired'` unless it is in use. An intent that is two minutes old is given up, with an entry of its own.
   */
  intend(
    certificate: CertificateRecord,
    entry: AuditEntry,
    challenge?: ChallengeUse | null,
    hsmKey?: string | null,
  ): Promise<'done' | IntentRefusal>
  /** Records the outcome. `'revoked'` when the subject was revoked in between: the certificate must not leave. */
  issue(
    serial: string,
    result: { readonly x5t: string; readonly encoded?: Uint8Array | undefined },
    entry: AuditEntry,
  ): Promise<'done' | 'revoked'>
  /** Gives an intent up: nobody knows whether it was signed. `'unchanged'` where it is none any more. */
  abandon(serial: string, entry: AuditEntry): Promise<'done' | 'unchanged'>
  /** The certificate that answers a renewal now, signed or about to be. */
  findRenewal(renewal: string, now: number): Promise<RenewalRecord | undefined>
  find(x5t: string): Promise<CertificateRecord | undefined>
  /** At start: intents without a result become `unknown`, one entry each (made by `entryOf`). Gives their number. */
  closeOrphans(entryOf: {
    readonly type: string
    readonly time: number
    readonly actor: string
  }): Promise<number>
}
