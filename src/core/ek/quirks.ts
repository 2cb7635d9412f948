import type { Tolerance } from '../x509/path-checks.ts'

/** What is let pass of an endorsement key certificate itself, beside what its path may need. */
export type CertificateTolerance = Tolerance | 'key-usage-absent' | 'oaep-key'

/** One departure of one manufacturer from the rules, and how far it reaches. */
export interface VendorQuirk {
  /** Stands in the verdict wherever it was used. */
  readonly name: string
  /** TCG vendor id of the anchor, and of the certificate. */
  readonly vendor: string
  readonly tolerance: CertificateTolerance
  /** Models, as in the certificate, that have it; all of the vendor where absent. */
  readonly models?: RegExp
  /** Certificates issued later do not have it: Unix milliseconds. */
  readonly issuedBefore: number
  /** Where it was seen. */
  readonly source: string
}

const year = (n: number): number => Date.UTC(n, 0)

/** Every quirk that is tolerated; what has no row is refused, of whatever vendor. */
export const vendorQuirks: readonly VendorQuirk[] = [
  {
    name: 'nuvoton-unsorted-set',
    vendor: 'id:4E544300',
    tolerance: 'unsorted-set',
    issuedBefore: year(2027),
    source: 'Nuvoton TPM Root CA 1110 to 2111: multi-valued RDN out of order (X.690 §11.6)',
  },
  {
    name: 'nuvoton-key-identifier-absent',
    vendor: 'id:4E544300',
    tolerance: 'key-identifier-absent',
    models: /^NPCT6/,
    issuedBefore: year(2017),
    source: 'NTC TPM EK Root CA 01 and 02 have no key identifiers (RFC 5280 §4.2.1.2)',
  },
  {
    name: 'nuvoton-key-usage-absent',
    vendor: 'id:4E544300',
    tolerance: 'key-usage-absent',
    models: /^NPCT6/,
    issuedBefore: year(2017),
    source: 'NPCT6xx certificates have no key usage (verification E3)',
  },
  {
    name: 'nuvoton-oaep-key',
    vendor: 'id:4E544300',
    tolerance: 'oaep-key',
    models: /^NPCT6/,
    issuedBefore: year(2017),
    source: 'NPCT6xx certificates name RSA keys rsaesOaep (verification E6)',
  },
  {
    name: 'intel-encoded-default',
    vendor: 'id:494E5443',
    tolerance: 'encoded-default',
    issuedBefore: year(2022),
    source: 'Intel EKOP certificates encode DEFAULT FALSE (X.690 §11.5)',
  },
  {
    name: 'intel-padded-bits',
    vendor: 'id:494E5443',
    tolerance: 'padded-bits',
    issuedBefore: year(2022),
    source: 'Intel EKOP certificates keep trailing zeros of key usage (X.690 §11.2.2)',
  },
  {
    name: 'infineon-padded-bits',
    vendor: 'id:49465800',
    tolerance: 'padded-bits',
    issuedBefore: year(2027),
    source:
      'Infineon OPTIGA root and manufacturing CAs keep trailing zeros of key usage (X.690 §11.2.2)',
  },
  {
    name: 'infineon-oaep-key',
    vendor: 'id:49465800',
    tolerance: 'oaep-key',
    issuedBefore: year(2018),
    source: 'IFX TPM EK certificates name RSA keys rsaesOaep (verification E6)',
  },
  {
    name: 'stm-key-usage-absent',
    vendor: 'id:53544D20',
    tolerance: 'key-usage-absent',
    models: /^ST33/,
    issuedBefore: year(2017),
    source: 'STM TPM EK Intermediate CA 02 certificates have no key usage (verification E3)',
  },
  {
    name: 'stm-oaep-key',
    vendor: 'id:53544D20',
    tolerance: 'oaep-key',
    models: /^ST33/,
    issuedBefore: year(2017),
    source: 'STM TPM EK Intermediate CA 02 certificates name RSA keys rsaesOaep (verification E6)',
  },
  {
    name: 'stm-unsorted-set',
    vendor: 'id:53544D20',
    tolerance: 'unsorted-set',
    models: /^ST33/,
    issuedBefore: year(2017),
    source: 'STM TPM EK Intermediate CA 02 certificates have sets out of order (X.690 §11.6)',
  },
]

/** The facts that decide which quirks a certificate may have. */
export interface QuirkScope {
  /** Vendor label of the trust anchor: the operator's word, not the certificate's. */
  readonly vendor: string
  /** Model as the certificate says, verified by the anchor's signature when the answer counts. */
  readonly model: string | undefined
  /** Unix milliseconds. */
  readonly notBefore: number
}

/** The quirks that are tolerated of a certificate, by what they tolerate. */
export function quirksFor(scope: QuirkScope): ReadonlyMap<CertificateTolerance, VendorQuirk> {
  const applying = vendorQuirks.filter(
    ({ vendor, models, issuedBefore }) =>
      vendor === scope.vendor &&
      scope.notBefore < issuedBefore &&
      (models === undefined || (scope.model !== undefined && models.test(scope.model))),
  )
  return new Map(applying.map(quirk => [quirk.tolerance, quirk]))
}
