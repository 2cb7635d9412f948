import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

/** One authority of the hierarchy: its certificate and the key that belongs to it. */
export interface CeremonyKey {
  readonly certificate: x509.X509Certificate
  readonly keys: CryptoKeyPair
}

/** What a ceremony is told; nothing is read from the machine. */
export interface CeremonyInput {
  /** The Web Cryptography implementation that made the keys and signs. */
  readonly crypto: Crypto
  readonly trustDomain: string
  readonly now: Date
  /** 16 random bytes for the serial number. */
  readonly serial: Uint8Array
  readonly keys: CryptoKeyPair
  /** How long it lives; ten years for a root and one for an issuing authority where not said. */
  readonly lifetimeSeconds?: number
}

/** ECDSA with the hash that belongs to the curve (NIST SP 800-57 Part 1 r5 §5.6.2). */
export const rootAlgorithm = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' } as const
export const issuingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

const daySeconds = 86_400
// A clock that is a little behind accepts an authority that was made this minute.
const backdateMs = 300_000
const rootDays = 3650
const issuingDays = 365

/**
 * Makes the self-signed root of a trust domain: CA, path length 1, its SPIFFE ID without a path.
 *
 * @see RFC 5280 §4.2.1, X509-SVID §4.1
 */
export async function createRoot(input: CeremonyInput): Promise<CeremonyKey> {
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(input.serial),
      name: `CN=Assay root of ${input.trustDomain}`,
      notBefore: new Date(input.now.getTime() - backdateMs),
      notAfter: endOf(input, rootDays),
      keys: input.keys,
      signingAlgorithm: rootAlgorithm,
      extensions: await authorityExtensions(input, 1),
    },
    input.crypto,
  )
  return { certificate, keys: input.keys }
}

/**
 * Makes the issuing authority below a root: CA, path length 0, so that it signs leaves and nothing else.
 *
 * @see RFC 5280 §4.2.1.9, X509-SVID §4.1
 */
export async function createIssuing<Keys extends Pick<CryptoKeyPair, 'publicKey'>>(
  input: Omit<CeremonyInput, 'keys'> & { readonly keys: Keys },
  root: CeremonyKey,
): Promise<{ readonly certificate: x509.X509Certificate; readonly keys: Keys }> {
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(input.serial),
      subject: `CN=Assay issuing authority of ${input.trustDomain}`,
      issuer: root.certificate.subject,
      notBefore: new Date(input.now.getTime() - backdateMs),
      notAfter: endOf(input, issuingDays),
      publicKey: input.keys.publicKey,
      signingKey: root.keys.privateKey,
      signingAlgorithm: rootAlgorithm,
      extensions: [
        ...(await authorityExtensions(input, 0)),
        await x509.AuthorityKeyIdentifierExtension.create(root.keys.publicKey, false, input.crypto),
      ],
    },
    input.crypto,
  )
  return { certificate, keys: input.keys }
}

/** The certificate (DER) of an authority that was made before, for another ceremony under it. */
export function parseAuthorityCertificate(certificate: Uint8Array): x509.X509Certificate {
  return new x509.X509Certificate(Uint8Array.from(certificate))
}

function endOf(
  { now, lifetimeSeconds }: Pick<CeremonyInput, 'now' | 'lifetimeSeconds'>,
  days: number,
): Date {
  return new Date(now.getTime() + (lifetimeSeconds ?? days * daySeconds) * 1000)
}

async function authorityExtensions(
  input: Pick<CeremonyInput, 'crypto' | 'trustDomain'> & {
    readonly keys: Pick<CryptoKeyPair, 'publicKey'>
  },
  pathLength: number,
): Promise<x509.Extension[]> {
  return [
    new x509.BasicConstraintsExtension(true, pathLength, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    new x509.SubjectAlternativeNameExtension([
      { type: 'url', value: `spiffe://${input.trustDomain}` },
    ]),
    await x509.SubjectKeyIdentifierExtension.create(input.keys.publicKey, false, input.crypto),
  ]
}

/** Positive and without a leading zero byte: RFC 5280 §4.1.2.2 allows 20 octets, 64 bits of them random. */
function serialNumber(random: Uint8Array): string {
  const bytes = Buffer.from(random)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}
