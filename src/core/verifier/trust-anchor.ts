import { attestationVendorOf, attestationVendors } from '../formats/attested/vendor-table.ts'
import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'
import { parseCertificate, type Certificate } from '../x509/certificate.ts'
import { X509Error } from '../x509/error.ts'
import { authorityViolation, keyViolation } from '../x509/path-checks.ts'
import type { PathCode } from '../x509/path-rows.ts'
import { isIntact } from '../x509/signature-algorithm.ts'
import type { AssuranceLevel } from './assurance.ts'

const root = 'Admit the root certificate of the manufacturer; hosts bring the intermediates.'

const rows = {
  'anchor-malformed': {
    summary: 'The certificate of the trust anchor cannot be read.',
    hint: 'Give one X.509 certificate in DER.',
    source: 'RFC 5280 §4.1; verification P1',
  },
  'anchor-label': {
    summary:
      'The trust anchor is not labelled with a name, a vendor and an assurance level that goes with it.',
    hint: 'Give its name, the TCG vendor id such as id:49465800, and how its TPMs are built; for HSMs hsm-attested and the product, such as yubihsm2.',
    source: 'TCG Vendor ID Registry v1.06; verification E15, VT1',
  },
  'anchor-not-self-signed': {
    summary: 'The certificate is not signed by its own key: it is no root.',
    hint: root,
    source: 'RFC 5280 §6.1.1 (d); verification E15',
  },
  'anchor-not-authority': {
    summary: 'The certificate is not one of a certificate authority.',
    hint: root,
    source: 'RFC 5280 §4.2.1.9; verification E15',
  },
  'anchor-key-usage': {
    summary: 'The certificate authority may not sign certificates.',
    hint: root,
    source: 'RFC 5280 §4.2.1.3; verification E15',
  },
  'anchor-key': {
    summary: 'The key of the trust anchor is too weak or of an unsupported kind.',
    hint: 'RSA of 2048 bits or more and the curves P-256, P-384 and P-521 are supported.',
    source: 'NIST SP 800-57 Part 1 r5 §5.6.1; verification E11',
  },
  'anchor-extension': {
    summary: 'The trust anchor has a critical extension that is not known.',
    hint: root,
    source: 'RFC 5280 §4.2; verification E5',
  },
  'anchor-validity': {
    summary: 'The trust anchor is not valid at this time.',
    hint: 'Admit the root that the manufacturer uses now, and look at the clock.',
    source: 'RFC 5280 §4.1.2.5; verification E15',
  },
} as const satisfies Record<string, ErrorRow>

export type TrustAnchorErrorCode = keyof typeof rows

/** A certificate that is not admitted as a trust anchor. */
export class TrustAnchorError extends CodedError<TrustAnchorErrorCode> {
  constructor(code: TrustAnchorErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}

/** What an operator says of a trust anchor: nothing in the certificate can. */
export interface AnchorLabels {
  readonly name: string
  /**
   * TCG vendor id that certificates below the anchor must name, for example `id:49465800`; of an authority for key
   * attestations of HSMs the name of the product, for example `yubihsm2`.
   */
  readonly vendor: string
  readonly assurance: AssuranceLevel
}

/** A root that endorsement key certificates may lead to. */
export interface TrustAnchor extends AnchorLabels {
  /** Lower-case hex SHA-256 of the DER certificate. */
  readonly fingerprint: string
  /** DER. */
  readonly certificate: Uint8Array
}

/** Levels at which a TPM can be endorsed; the `hsm-…` ones are for keys that no TPM holds. */
const tpmLevels: readonly AssuranceLevel[] = [
  'tpm-discrete',
  'tpm-firmware',
  'tpm-virtual',
  'emulated',
]

/** The level of authorities that certify devices which attest keys: an HSM vendor's, for one product. */
const deviceLevel = 'hsm-attested'

const codeOf: Partial<Record<PathCode, TrustAnchorErrorCode>> = {
  'path-authority': 'anchor-not-authority',
  'path-key-usage': 'anchor-key-usage',
  'path-extension': 'anchor-extension',
  'path-validity': 'anchor-validity',
}

/**
 * Whether certificates of TPMs may lead to an anchor. Those that were admitted for HSMs are for these alone.
 */
export function isTpmAnchor({ assurance }: TrustAnchor): boolean {
  return tpmLevels.includes(assurance)
}

/**
 * Makes a trust anchor of a manufacturer's root certificate and the operator's labels. Admission is the operator's
 * act; what cannot be an anchor for anybody is refused here.
 *
 * @param bytes DER
 * @throws TrustAnchorError
 * @see RFC 5280 §6.1.1 (d); verification E15
 */
export function parseTrustAnchor(bytes: Uint8Array, labels: AnchorLabels, now: Date): TrustAnchor {
  const { kind, notAfter: _notAfter, ...anchor } = parseManufacturerAuthority(bytes, labels, now)
  if (kind !== 'root') throw new TrustAnchorError('anchor-not-self-signed')
  return anchor
}

/** A manufacturer's certificate authority: a root, or one that stands below it and only helps to build paths. */
export interface ManufacturerAuthority extends TrustAnchor {
  readonly kind: 'root' | 'intermediate'
  /** Unix milliseconds. */
  readonly notAfter: number
}

/**
 * Reads a certificate of a collection: what signs itself is a root, what does not is an intermediate, and what is no
 * authority at this time is refused either way. An authority that is admitted for devices of one product is where their
 * paths end, whoever stands above it: a vendor's root is above other products as well.
 *
 * @param bytes DER
 * @throws TrustAnchorError all but `anchor-not-self-signed`
 * @see RFC 5280 §6.1; verification E15
 */
export function parseManufacturerAuthority(
  bytes: Uint8Array,
  labels: AnchorLabels,
  now: Date,
): ManufacturerAuthority {
  requireLabels(labels)
  const certificate = readAnchor(bytes)
  const weakness = keyViolation(certificate)
  if (weakness !== undefined) throw new TrustAnchorError('anchor-key', { found: weakness })
  requireAuthority(certificate, now)
  const { name, vendor, assurance } = labels
  const { fingerprint, fields } = certificate
  const kind = assurance === deviceLevel || isSelfSigned(certificate) ? 'root' : 'intermediate'
  const own = { fingerprint, certificate: Uint8Array.from(bytes) }
  return { ...own, name, vendor, assurance, kind, notAfter: fields.notAfter }
}

function requireAuthority(certificate: Certificate, now: Date): void {
  const violation = authorityViolation(certificate, now.getTime())
  if (violation !== undefined) {
    const { code, found } = violation
    throw new TrustAnchorError(codeOf[code] ?? 'anchor-not-authority', { found })
  }
}

function readAnchor(bytes: Uint8Array): Certificate {
  try {
    return parseCertificate(bytes)
  } catch (cause) {
    if (!(cause instanceof X509Error)) throw cause
    throw new TrustAnchorError('anchor-malformed', { found: cause.found ?? cause.message, cause })
  }
}

function requireLabels({ name, vendor, assurance }: AnchorLabels): void {
  if (name.trim() === '') throw new TrustAnchorError('anchor-label', { expected: 'a name' })
  const levels = [...tpmLevels, deviceLevel]
  if (!levels.includes(assurance)) {
    throw new TrustAnchorError('anchor-label', { expected: levels.join(', '), found: assurance })
  }
  const isKnown =
    assurance === deviceLevel
      ? attestationVendorOf(vendor) !== undefined
      : /^id:[0-9A-F]{8}$/.test(vendor)
  const names = attestationVendors.map(({ id }) => id).join(' or ')
  const expected = assurance === deviceLevel ? names : 'a TCG vendor id'
  if (!isKnown) throw new TrustAnchorError('anchor-label', { expected, found: vendor.slice(0, 40) })
}

/** SHA-1 is enough here: a root's signature on itself proves no more than that its bytes are whole. */
function isSelfSigned(certificate: Certificate): boolean {
  const { algorithm, signed, signature } = certificate.fields
  if (!certificate.isSelfIssued || algorithm === undefined || certificate.key === undefined)
    return false
  return isIntact(algorithm, certificate.key, signed, signature)
}
