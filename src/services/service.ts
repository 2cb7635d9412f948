import type { FirmwareAdvisory } from '../core/appraisal/firmware-advisory.ts'
import type { NoteVerifier } from '../core/log/note-key.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import type { AssuranceLevel } from '../ports/records.ts'
import type { ThrowawaySigners } from '../core/issuance/assembly.ts'
import type { CertificateProfiles } from '../core/issuance/profile.ts'
import type { BundleFetch } from '../ports/bundle-fetch.ts'
import type { Outbound } from '../ports/outbound.ts'
import type { WatchedSigner } from '../ports/signer.ts'
import type { Store } from '../ports/store.ts'
import type { TokenInspector } from '../ports/token-inspector.ts'
import type { Authorities } from './authorities.ts'
import type { OcspResponders } from './ocsp-responders.ts'
import type { ProofKeys } from '../core/token/proof-key.ts'
import type { AuthorizationDirectory } from './authorization-directory.ts'
import type { ClientDirectory } from './client-directory.ts'
import type { SigningFeed } from './signing-times.ts'
import type { TokenKeyRing } from './token-keys.ts'

/** How much an issuer's word on revocation counts. */
export type RevocationSetting = 'required' | 'when-available' | 'off'

/** What a service is told about itself; read once at start. */
export interface Settings {
  /** Its own URL: issuer of tokens, audience of evidence, base of every `htu`. */
  readonly issuer: string
  readonly trustDomain: string
  readonly attestation: {
    readonly assurance: readonly AssuranceLevel[]
    readonly pcrs: readonly number[]
    readonly referenceValues: Readonly<Record<string, readonly string[]>>
    readonly validitySeconds: number
    readonly challengeSeconds: number
    /** Attestations kept of each host. */
    readonly keepPerHost: number
    /** Refused attestations kept, at most and for how long. */
    readonly keepRefused: number
    readonly keepRefusedSeconds: number
    /** Enrolment requests that one network address may make in a minute. */
    readonly requestsPerMinute: number
  }
  readonly endorsements: {
    /** Whether issuers must have said that nothing in an endorsement key's path is revoked. */
    readonly revocation: RevocationSetting
    /** The same by the vendor label of the trust anchor. */
    readonly revocationByVendor: Readonly<Record<string, RevocationSetting>>
    /** How old an issuer's word may be. */
    readonly maxAgeSeconds: number
    readonly expired: 'refuse' | 'tolerate'
  }
  readonly grants: {
    /** How long a grant request waits for an operator. */
    readonly requestSeconds: number
    /** How long an approval for once waits to be used. */
    readonly unusedSeconds: number
    /** The longest that an approval counts, whatever policies say. */
    readonly maxMinutes: number
    /** Grant requests of one agent that wait at the same time. */
    readonly pendingPerAgent: number
  }
  readonly certificateLifetimeSeconds: number
  /** Of the service's own TLS certificate. */
  readonly serviceCertificateSeconds: number
  /** How soon whoever keeps the trust bundle is to look for the next one. */
  readonly bundleRefreshSeconds: number
  /** OCSP answers for its eyes alone that one network address may have in a minute. */
  readonly ocspSignaturesPerMinute: number
  readonly tokenMaxLifetimeSeconds: number
  /** How long a copy of the key set (`/oauth/jwks`) may be used without asking again. */
  readonly keySetMaxAgeSeconds: number
}

/** What certificates are made by, besides the authority that signs them. */
export interface Issuance {
  readonly profiles: CertificateProfiles
  /** Signs the copies that lints read. */
  readonly throwaway: ThrowawaySigners
}

/** Everything a use case may touch: what `main` wired. A use case takes the whole and names what it uses. */
export interface Service {
  readonly settings: Settings
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  /** The certificate authorities of the trust domain; one of them signs for hosts and agents. */
  readonly authorities: Authorities
  readonly issuance: Issuance
  /** Who answers OCSP requests. */
  readonly ocsp: OcspResponders
  /** The keys that sign tokens. */
  readonly tokenKeys: TokenKeyRing
  /** Keys in hardware, which can go down and come back. */
  readonly signers: readonly WatchedSigner[]
  /** How long each signature takes. */
  readonly signingTimes: SigningFeed
  /** Verifies the checkpoints of the audit log. */
  readonly logVerifier: NoteVerifier
  /** 32 bytes: keys the hash by which an EK is known here, so that it means nothing elsewhere. */
  readonly privacyKey: Uint8Array
  /** 32 bytes behind the DPoP nonces. */
  readonly nonceKey: Uint8Array
  /** TPM firmware that is publicly known to be vulnerable. */
  readonly firmwareAdvisories: readonly FirmwareAdvisory[]
  /** Fetches what issuers publish; undefined where nothing is to be fetched. */
  readonly outbound: Outbound | undefined
  /** Fetches bundles of other trust domains; undefined where the configuration names no host. */
  readonly bundleFetch: BundleFetch | undefined
  /** Looks into tokens that the service has sessions of its own on; undefined where the configuration names none. */
  readonly tokenInspector: TokenInspector | undefined
  readonly clients: ClientDirectory
  readonly authorization: AuthorizationDirectory
  readonly proofKeys: ProofKeys
}
