import { FormatError } from '../bytes/format-error.ts'
import { tpmIdentityOf, type TpmIdentity } from '../ek/tpm-identity.ts'
import type { TpmtPublic } from '../tpm/public.ts'
import { CheckRecorder, type Check } from '../verifier/check.ts'
import type { TpmFacts } from '../verifier/tpm-attestation.ts'
import type { TrustAnchor } from '../verifier/trust-anchor.ts'
import { parseCertificate, type Certificate } from '../x509/certificate.ts'
import type { RevocationStatus } from '../x509/revocation.ts'
import { verifyAttestationProfile } from './attestation-certificate.ts'
import {
  isTpmFormat,
  parseAttestationObject,
  readTpmStatement,
  type AttestationObject,
  type TpmStatement,
} from './attestation-object.ts'
import { verifyAttestationPath, type AttestationPathScope } from './attestation-path.ts'
import { parseAuthenticatorData, type AuthenticatorData } from './authenticator-data.ts'
import { verifyCertifiedArea, type CertifiedKey, type KeyKind } from './certified-key.ts'
import { algorithmOfCoseKey, isKeyOfArea } from './cose.ts'
import type { DeviceIdentifier } from './device-identifier.ts'
import { verifyStatementCertification, type StatementBinding } from './statement-certification.ts'
import type { SignatureForm } from './statement-signature.ts'

/** What a `tpm` statement is held to. */
export interface StatementExpectations extends AttestationPathScope {
  readonly binding: StatementBinding
  readonly signatureForm: SignatureForm
  /** The device that the certificate must be of, where one was asked for. */
  readonly identifier?: DeviceIdentifier
  /** Kinds of certified keys that are taken. */
  readonly keyKinds: readonly KeyKind[]
  /** Lets pass keys that decrypt as well as sign; refused where not said. */
  readonly permitsDecryption?: boolean
}

const seal = Symbol('tpm statement')

interface Parts {
  readonly key: CertifiedKey
  readonly certificate: Certificate
  readonly anchor: TrustAnchor
  readonly revocation: readonly RevocationStatus[]
  readonly credential: AuthenticatorData | undefined
  readonly facts: TpmFacts
  readonly checks: readonly Check[]
}

/** A key of which a TPM with a certified attestation key said, for a known binding, that it was born there and stays. */
export class VerifiedTpmStatement {
  readonly #parts: Parts

  constructor(key: typeof seal, parts: Parts) {
    if (key !== seal) throw new TypeError('made by verifyTpmAttestation alone')
    this.#parts = parts
  }

  /** DER SubjectPublicKeyInfo of the certified key, made of what the TPM certified. */
  get spki(): Uint8Array {
    return this.#parts.key.key.export({ format: 'der', type: 'spki' })
  }

  /** Public area of the certified key. */
  get area(): TpmtPublic {
    return this.#parts.key.area
  }

  /** The anchor that the attestation key's certificate leads to, with the operator's word on what stands below it. */
  get anchor(): TrustAnchor {
    return this.#parts.anchor
  }

  /**
   * Lower-case hex SHA-256 of the attestation key's certificate. It identifies the device: to know it again by, not to
   * be shown or logged (verification V1).
   */
  get certificateFingerprint(): string {
    return this.#parts.certificate.fingerprint
  }

  /** Manufacturer, model and version of the TPM, as that certificate says. */
  get identity(): TpmIdentity | undefined {
    return tpmIdentityOf(this.#parts.certificate.fields.extensions)
  }

  /** What issuers said, one a certificate of the path, the anchor left out. */
  get revocation(): readonly RevocationStatus[] {
    return this.#parts.revocation
  }

  /** The new credential; undefined where the statement is bound to something else. */
  get credential(): AuthenticatorData | undefined {
    return this.#parts.credential
  }

  /** Clock and firmware of the TPM; obfuscated unless its attestation key stands in the endorsement hierarchy. */
  get facts(): TpmFacts {
    return this.#parts.facts
  }

  get checks(): readonly Check[] {
    return this.#parts.checks
  }
}

/**
 * Verifies an attestation object with a statement of format `tpm`: an attestation key that is certified below a pinned
 * anchor says, for this binding, that a key was born in its TPM and stays there.
 *
 * The caller still compares what the key is used for: the key of a certificate request with `spki`, or relying party
 * and flags of the credential.
 *
 * @param bytes CBOR, untrusted
 * @throws EvidenceError with the checks that ran
 * @see Web Authentication Level 2 §8.3; draft-ietf-acme-device-attest-09 §5; verification section 16
 */
export function verifyTpmAttestation(
  bytes: Uint8Array,
  expected: StatementExpectations,
): VerifiedTpmStatement {
  const checks = new CheckRecorder()
  const { statement, authData } = readObject(checks, bytes)
  const credential = readCredential(checks, authData, expected.binding)
  const certificate = readCertificate(checks, statement)
  const { identifier, keyKinds, permitsDecryption = false } = expected
  verifyAttestationProfile(checks, certificate, { identifier, aaguid: credential?.aaguid })
  const path = verifyAttestationPath(checks, certificate, statement.x5c.slice(1), expected)
  const key = verifyCertifiedArea(checks, statement.pubArea, { keyKinds, permitsDecryption })
  const facts = verifyStatementCertification(checks, statement, {
    ...expected,
    certificate,
    key,
    authData,
  })
  requireCredentialKey(checks, credential, key)
  const parts = { key, certificate, ...path, credential, facts, checks: checks.list }
  return new VerifiedTpmStatement(seal, parts)
}

function readObject(
  checks: CheckRecorder,
  bytes: Uint8Array,
): { statement: TpmStatement; authData: Uint8Array } {
  const object: AttestationObject = checks.attempt('statement-malformed', bytes, () =>
    parseAttestationObject(bytes),
  )
  checks.require(isTpmFormat(object), 'statement-format', { bytes })
  const statement = checks.attempt('statement-malformed', bytes, () => readTpmStatement(object))
  return { statement, authData: object.authData ?? new Uint8Array() }
}

/** Bound to something else than a credential, authenticator data says nothing: nothing of it is used. */
function readCredential(
  checks: CheckRecorder,
  authData: Uint8Array,
  { kind }: StatementBinding,
): AuthenticatorData | undefined {
  if (kind !== 'credential') return undefined
  return checks.attempt('statement-authenticator-data', authData, () => {
    const credential = parseAuthenticatorData(authData)
    if (algorithmOfCoseKey(credential.publicKey) !== undefined) return credential
    throw new FormatError('structure-value', { expected: 'a credential of a strong algorithm' })
  })
}

function readCertificate(checks: CheckRecorder, { x5c: [leaf] }: TpmStatement): Certificate {
  return checks.attempt('aik-certificate-malformed', leaf, () => parseCertificate(leaf))
}

function requireCredentialKey(
  checks: CheckRecorder,
  credential: AuthenticatorData | undefined,
  { area }: CertifiedKey,
): void {
  if (credential === undefined) return
  checks.require(isKeyOfArea(credential.publicKey, area), 'statement-key-differs')
}
