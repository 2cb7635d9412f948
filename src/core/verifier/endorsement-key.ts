import { nameOf, parseTpmtPublic, type TpmtPublic } from '../tpm/public.ts'
import type { EndorsementTemplate } from '../tpm/templates.ts'
import type { TpmIdentity } from '../ek/tpm-identity.ts'
import { keyObjectOf, spkiSha256Of, weaknessOf, type PublicKey } from '../x509/public-key.ts'
import { hasRocaFingerprint } from '../x509/roca.ts'
import type { RevocationSources, RevocationStatus } from '../x509/revocation.ts'
import type { AssuranceLevel } from './assurance.ts'
import { CheckRecorder, type Check } from './check.ts'
import { publicKeyOf, verifyEndorsementArea } from './endorsement-area.ts'
import {
  verifyEndorsementCertificate,
  type VerifiedCertificate,
} from './endorsement-certificate.ts'
import type { EndorsementPolicy } from './endorsement-policy.ts'
import type { TrustAnchor } from './trust-anchor.ts'

/** What a host presents as its endorsement key, and what it is held to. */
export interface EndorsementEvidence {
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array
  /** DER. */
  readonly certificate: Uint8Array
  /** Intermediate certificates from the host, DER, in any order. Hints: none is trusted for being there. */
  readonly chain: readonly Uint8Array[]
  /** What operators admitted. */
  readonly anchors: readonly TrustAnchor[]
  readonly now: Date
  /** Intermediate certificates that the service holds, DER. Hints as well. */
  readonly intermediates?: readonly Uint8Array[]
  /** Lists and responses that the service holds; verified here before they count. */
  readonly revocation?: RevocationSources
  readonly policy?: EndorsementPolicy
}

const seal = Symbol('endorsement key')

type Facts = EndorsementKey

/**
 * A key of which a manufacturer, or an operator, says that it lives in a TPM. Made by {@link verifyEndorsementKey} and
 * {@link verifyDeclaredEndorsementKey} alone.
 */
export class EndorsementKey {
  readonly area: TpmtPublic
  /** The key's Name, computed here. */
  readonly name: Uint8Array
  readonly template: EndorsementTemplate['name']
  /**
   * Hex SHA-256 of the key as SubjectPublicKeyInfo in its one canonical form: what identifies the TPM, however often
   * its certificate is issued again (verification E14).
   */
  readonly spkiSha256: string
  /** Undefined, as vendor and identity, for a key without certificate. */
  readonly anchorFingerprint: string | undefined
  /** The operator's word on everything below the anchor; `tpm-declared` without certificate. */
  readonly assurance: AssuranceLevel
  /** Vendor label of the anchor, which the certificate agrees with. */
  readonly vendor: string | undefined
  /** Manufacturer, model and version as the certificate says. */
  readonly identity: TpmIdentity | undefined
  /** Names of the vendor quirks that were let pass. */
  readonly quirks: readonly string[]
  /** DER: the key's own certificate first, the trust anchor last. Empty for a key without certificate. */
  readonly path: readonly Uint8Array[]
  /** What issuers said: one a certificate of the path, the key's own first. Empty for a key without certificate. */
  readonly revocation: readonly RevocationStatus[]
  readonly checks: readonly Check[]

  constructor(key: typeof seal, facts: Facts) {
    if (key !== seal) throw new TypeError('made by the verifiers of this file alone')
    this.area = facts.area
    this.name = facts.name
    this.template = facts.template
    this.spkiSha256 = facts.spkiSha256
    this.anchorFingerprint = facts.anchorFingerprint
    this.assurance = facts.assurance
    this.vendor = facts.vendor
    this.identity = facts.identity
    this.quirks = facts.quirks
    this.path = facts.path
    this.revocation = facts.revocation
    this.checks = facts.checks
  }
}

/**
 * Verifies an endorsement key: its certificate leads to an admitted trust anchor and follows the profile, the public
 * area is of the certified key, and it follows one of the templates that are challenged. That a TPM holds the key is
 * shown by the challenge alone.
 *
 * @throws EvidenceError with the checks that ran
 * @see TCG EK Credential Profile v2.5; verification E1 to E14, T1, T2
 */
export function verifyEndorsementKey(evidence: EndorsementEvidence): EndorsementKey {
  const recorder = new CheckRecorder()
  const area = recorder.attempt('ek-public-malformed', evidence.public, () =>
    parseTpmtPublic(evidence.public),
  )
  const verified = verifyEndorsementCertificate(evidence, recorder)
  const template = verifyEndorsementArea(area, verified.certificate.fields.publicKey, recorder)
  return new EndorsementKey(seal, {
    area,
    name: nameOf(evidence.public),
    template: template.name,
    ...describe(verified),
    checks: [...recorder.list],
  })
}

function describe({
  certificate,
  path,
  anchor,
  quirks,
  identity,
  revocation,
}: VerifiedCertificate): Omit<Facts, 'area' | 'name' | 'template' | 'checks'> {
  return {
    spkiSha256: spkiSha256Of(certificate.fields.publicKey),
    anchorFingerprint: anchor.fingerprint,
    assurance: anchor.assurance,
    vendor: anchor.vendor,
    identity,
    quirks,
    path: path.certificates.map(({ fields }) => fields.encoded),
    revocation,
  }
}

/**
 * Verifies an endorsement key that has no certificate: its form, template and strength. That it is the key of a real
 * TPM nobody has shown; the caller has an operator's word for this very key before it goes on (`spkiSha256`).
 *
 * @throws EvidenceError with the checks that ran
 * @see verification T2, E11, E14, VT4
 */
export function verifyDeclaredEndorsementKey(evidence: {
  readonly public: Uint8Array
}): EndorsementKey {
  const recorder = new CheckRecorder()
  const area = recorder.attempt('ek-public-malformed', evidence.public, () =>
    parseTpmtPublic(evidence.public),
  )
  const key = publicKeyOf(area)
  const template = verifyEndorsementArea(area, key, recorder)
  requireStrongKey(key, recorder)
  return new EndorsementKey(seal, {
    area,
    name: nameOf(evidence.public),
    template: template.name,
    spkiSha256: spkiSha256Of(key),
    anchorFingerprint: undefined,
    assurance: 'tpm-declared',
    vendor: undefined,
    identity: undefined,
    quirks: [],
    path: [],
    revocation: [],
    checks: [...recorder.list],
  })
}

function requireStrongKey(key: PublicKey, recorder: CheckRecorder): void {
  const weakness = weaknessOf(key) ?? (keyObjectOf(key) === undefined ? 'no key' : undefined)
  if (weakness !== undefined) recorder.refuse('ek-key-weak', { found: weakness })
  recorder.pass('ek-key-weak')
  recorder.require(key.kind !== 'rsa' || !hasRocaFingerprint(key.modulus), 'ek-key-roca')
}
