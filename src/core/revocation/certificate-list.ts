import * as der from '../der/writer.ts'
import { encodeSigned, type ThrowawaySigners } from '../issuance/assembly.ts'
import type { CertificateSigner } from '../issuance/credential.ts'
import { encodeExtension } from '../issuance/extension.ts'
import { prepareIssuer } from '../issuance/issuer.ts'
import {
  signatureAlgorithms,
  type CertificateSignatureName,
} from '../issuance/signature-algorithm.ts'
import { lintCertificateList } from './list-lint.ts'
import { revocationReasons } from '../status/revocation-reason.ts'
import type { RevokedCertificate } from './revoked-certificate.ts'

/** What a list is made of; all of it known before anything is signed. */
export interface CertificateListRequest {
  /** DER of the issuing certificate. */
  readonly issuer: Uint8Array
  readonly signatureAlgorithm: CertificateSignatureName
  /** Grows with each list of one scope; set aside before, never used again. */
  readonly number: number
  /** The URL that the certificates of this list name; undefined for one that speaks of all of its issuer's. */
  readonly url: string | undefined
  /** Unix milliseconds. */
  readonly thisUpdate: number
  readonly nextUpdate: number
  readonly revoked: readonly RevokedCertificate[]
  readonly throwaway: ThrowawaySigners
}

const seal = Symbol('prepared list')

/** A list to the last byte but its signature, and linted. Made by {@link prepareCertificateList} alone. */
export class PreparedCertificateList {
  readonly algorithm: CertificateSignatureName
  readonly #tbs: Uint8Array

  constructor(key: typeof seal, algorithm: CertificateSignatureName, tbs: Uint8Array) {
    if (key !== seal) throw new TypeError('made by prepareCertificateList alone')
    this.algorithm = algorithm
    this.#tbs = tbs
  }

  /** DER TBSCertList. */
  get tbs(): Uint8Array {
    return this.#tbs
  }
}

/**
 *     TBSCertList ::= SEQUENCE {
 *       version INTEGER (v2), signature AlgorithmIdentifier, issuer Name, thisUpdate Time, nextUpdate Time,
 *       revokedCertificates SEQUENCE OF SEQUENCE {…} OPTIONAL, crlExtensions [0] Extensions }
 *
 * Assembles a list for the end-entity certificates that name one URL, or for everything that its issuer signed, and
 * lints a copy of it that a throwaway key signed.
 *
 * @throws CrlLintError for a list that does not say what it should
 * @see RFC 5280 §5.1, §5.2
 */
export function prepareCertificateList(request: CertificateListRequest): PreparedCertificateList {
  const issuer = prepareIssuer(request.issuer)
  const { identifier } = signatureAlgorithms[request.signatureAlgorithm]
  const { revoked } = request
  const tbs = der.sequence(
    der.smallInteger(1),
    identifier,
    issuer.name,
    der.certificateTime(request.thisUpdate),
    der.certificateTime(request.nextUpdate),
    // RFC 5280 §5.1.2.6: absent where there are none.
    ...(revoked.length === 0 ? [] : [der.sequence(...revoked.map(encodeEntry))]),
    der.contextConstructed(
      0,
      der.sequence(
        encodeExtension(
          '2.5.29.35',
          false,
          der.sequence(der.implicitPrimitive(0, issuer.keyIdentifier)),
        ),
        encodeExtension('2.5.29.20', false, encodeNumber(request.number)),
        ...(request.url === undefined
          ? []
          : [encodeExtension('2.5.29.28', true, encodeIssuingDistributionPoint(request.url))]),
      ),
    ),
  )
  lintCertificateList(tbs, request)
  return new PreparedCertificateList(seal, request.signatureAlgorithm, tbs)
}

/** `CRLNumber ::= INTEGER (0..MAX)`. RFC 5280 §5.2.3. */
function encodeNumber(number: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(number))
  return der.unsignedInteger(bytes)
}

/**
 *     IssuingDistributionPoint ::= SEQUENCE {
 *       distributionPoint [0] DistributionPointName, onlyContainsUserCerts [1] BOOLEAN … }
 *
 * The full name of the list, as its certificates have it. RFC 5280 §5.2.5.
 */
function encodeIssuingDistributionPoint(url: string): Uint8Array {
  const fullName = der.contextConstructed(0, der.implicitPrimitive(6, Buffer.from(url, 'ascii')))
  return der.sequence(
    der.contextConstructed(0, fullName),
    der.implicitPrimitive(1, Uint8Array.of(0xff)),
  )
}

/** `SEQUENCE { userCertificate, revocationDate, crlEntryExtensions OPTIONAL }`. RFC 5280 §5.1.2.6, §5.3. */
function encodeEntry({ serial, revokedAt, reason }: RevokedCertificate): Uint8Array {
  const code = revocationReasons[reason]
  // RFC 5280 §5.3.1: absent instead of unspecified.
  const extensions = code === 0 ? [] : [encodeExtension('2.5.29.21', false, der.enumerated(code))]
  return der.sequence(
    der.unsignedInteger(Buffer.from(serial, 'hex')),
    der.certificateTime(revokedAt),
    ...(extensions.length === 0 ? [] : [der.sequence(...extensions)]),
  )
}

/**
 * Signs a prepared list: DER CertificateList.
 *
 * @throws TypeError for a signer of another algorithm, and whatever the signer throws
 * @see RFC 5280 §5.1.1
 */
export async function issueCertificateList(
  prepared: PreparedCertificateList,
  signer: CertificateSigner,
): Promise<Uint8Array> {
  if (signer.algorithm !== prepared.algorithm) throw new TypeError('prepared for another signer')
  return encodeSigned(prepared.tbs, prepared.algorithm, await signer.sign(prepared.tbs))
}
