import {
  assembleCertificate,
  encodeSigned,
  serialNumber,
  wholeSeconds,
  type ThrowawaySigners,
} from './assembly.ts'
import type { AuthorityProfile } from './authority-profile.ts'
import type { CertificateSigner } from './credential.ts'
import { keyIdentifierOf } from './extension.ts'
import { prepareIssuer, type PreparedIssuer } from './issuer.ts'
import type { CertificateSignatureName } from './signature-algorithm.ts'

/** What the certificate of an authority is made of; all of it known before anything is signed. */
export interface AuthorityRequest {
  readonly profile: AuthorityProfile
  /** DER of the issuer's certificate; undefined for a root, which signs itself. */
  readonly issuer: Uint8Array | undefined
  readonly signatureAlgorithm: CertificateSignatureName
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  /** DER Name. */
  readonly subject: Uint8Array
  /** The one that the subject's own certificate has; undefined for a digest of the key. */
  readonly subjectKeyIdentifier?: Uint8Array | undefined
  readonly trustDomain: string
  /** Authorities that may stand in between it and an end entity. */
  readonly pathLength: number
  /** DER NameConstraints. */
  readonly nameConstraints?: Uint8Array | undefined
  /** URL of the list on which its issuer would revoke it. */
  readonly crlUrl?: string | undefined
  /** 16 random bytes. */
  readonly serial: Uint8Array
  /** Unix milliseconds; the certificate is good from the first through the whole of the last second. */
  readonly notBefore: number
  readonly notAfter: number
}

const seal = Symbol('prepared authority')

/** The certificate of an authority to the last byte but its signature. Made by {@link prepareAuthority} alone. */
export class PreparedAuthority {
  readonly algorithm: CertificateSignatureName
  readonly #tbs: Uint8Array

  constructor(key: typeof seal, algorithm: CertificateSignatureName, tbs: Uint8Array) {
    if (key !== seal) throw new TypeError('made by prepareAuthority alone')
    this.algorithm = algorithm
    this.#tbs = tbs
  }

  /** DER TBSCertificate. */
  get tbs(): Uint8Array {
    return this.#tbs
  }
}

/**
 * Assembles the certificate of an authority from its profile, and lints a copy of it that a throwaway key signed.
 *
 * @throws LintError with the code of the rule that it breaks; TypeError for an extension that the profile does not have
 * @see RFC 5280 §4.1, §4.2.1; X509-SVID §4.1
 */
export function prepareAuthority(
  request: AuthorityRequest,
  throwaway: ThrowawaySigners,
): PreparedAuthority {
  const { profile, signatureAlgorithm, pathLength, nameConstraints, crlUrl } = request
  const { maxPathLength, curves } = profile
  const issuer = request.issuer === undefined ? selfOf(request) : prepareIssuer(request.issuer)
  const svid = `spiffe://${request.trustDomain}`
  const tbs = assembleCertificate(
    {
      signatureAlgorithm,
      issuer,
      issuerKeyIdentifier: issuer.keyIdentifier,
      serial: serialNumber(request.serial),
      serialRandom: request.serial,
      subject: request.subject,
      notBefore: wholeSeconds(request.notBefore),
      notAfter: wholeSeconds(request.notAfter),
      maxLifetimeSeconds: profile.maxLifetimeSeconds,
      extensions: extensionsOf(request),
      keyUsage: profile.keyUsage,
      extendedKeyUsage: [],
      spki: request.spki,
      subjectKeyIdentifier: request.subjectKeyIdentifier,
      names: { uri: svid },
      svid: profile.x509Svid ? svid : undefined,
      authority: { pathLength, maxPathLength, curves, nameConstraints },
      nameConstraints,
      status: crlUrl === undefined ? undefined : { crl: crlUrl },
    },
    throwaway,
  )
  return new PreparedAuthority(seal, signatureAlgorithm, tbs)
}

/** A root is its own issuer, within its own validity, and no path length stands above it. */
function selfOf({
  spki,
  subject,
  subjectKeyIdentifier,
  notBefore,
  notAfter,
}: AuthorityRequest): PreparedIssuer {
  return {
    name: subject,
    keyIdentifier: subjectKeyIdentifier ?? keyIdentifierOf(spki),
    notBefore: wholeSeconds(notBefore),
    notAfter: wholeSeconds(notAfter),
    pathLength: undefined,
  }
}

/** Those that stand there always, and those that the request has a value for. */
function extensionsOf({
  profile,
  nameConstraints,
  crlUrl,
}: AuthorityRequest): AuthorityProfile['extensions'] {
  const asked = new Map<string, unknown>([
    ['nameConstraints', nameConstraints],
    ['crlDistributionPoints', crlUrl],
  ])
  const extensions = profile.extensions.filter(
    ({ name, presence }) => presence === 'always' || asked.get(name) !== undefined,
  )
  const lacking = [...asked].find(
    ([name, value]) => value !== undefined && !extensions.some(each => each.name === name),
  )
  if (lacking !== undefined) throw new TypeError(`the profile has no ${lacking[0]}`)
  return extensions
}

/** What was signed, or is being signed. */
const issued = new WeakSet<PreparedAuthority>()

/**
 * Signs the certificate of an authority, DER. Only what `prepareAuthority` made is taken, once, under the algorithm it
 * was made for.
 *
 * @throws TypeError for one that was issued before or is for another algorithm, and whatever the signer throws
 * @see RFC 5280 §4.1.1
 */
export async function issueAuthority(
  prepared: PreparedAuthority,
  signer: CertificateSigner,
): Promise<Uint8Array> {
  if (signer.algorithm !== prepared.algorithm) throw new TypeError('prepared for another signer')
  if (issued.has(prepared)) throw new TypeError('a prepared authority is issued once')
  issued.add(prepared)
  return encodeSigned(prepared.tbs, prepared.algorithm, await signer.sign(prepared.tbs))
}
