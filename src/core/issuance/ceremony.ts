import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { commonName, type ThrowawaySigners } from './assembly.ts'
import { issueAuthority, prepareAuthority, type AuthorityRequest } from './authority-certificate.ts'
import type { AuthorityProfiles } from './authority-profile.ts'
import type { CertificateSigner } from './credential.ts'
import { prepareIssuer } from './issuer.ts'

/** One authority of the hierarchy: its certificate and the key that belongs to it. */
export interface CeremonyKey {
  readonly certificate: x509.X509Certificate
  readonly keys: CryptoKeyPair
}

/** What authorities are held against, and what their lint copies are signed with. */
export interface AuthorityIssuance {
  readonly profiles: AuthorityProfiles
  readonly throwaway: ThrowawaySigners
}

/** What a ceremony is told; nothing is read from the machine. */
export interface CeremonyInput {
  /** The Web Cryptography implementation that made the keys and signs. */
  readonly crypto: Crypto
  readonly issuance: AuthorityIssuance
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
/** ub-common-name, RFC 5280 appendix A.1. */
const longestName = 64

/**
 * Makes the self-signed root of a trust domain: CA, path length 1, its SPIFFE ID without a path.
 *
 * @throws LintError
 * @see RFC 5280 §4.2.1, X509-SVID §4.1
 */
export async function createRoot(input: CeremonyInput): Promise<CeremonyKey> {
  const request = {
    ...(await requestOf(input, 'Assay root', rootDays)),
    profile: input.issuance.profiles.root,
    issuer: undefined,
    pathLength: 1,
  }
  const certificate = await create(input, request, input.keys.privateKey)
  return { certificate, keys: input.keys }
}

/**
 * Makes the issuing authority below a root: CA, path length 0, so that it signs leaves and nothing else, and no second
 * beyond the root's own time.
 *
 * @throws LintError
 * @see RFC 5280 §4.2.1.9, X509-SVID §4.1
 */
export async function createIssuing<Keys extends Pick<CryptoKeyPair, 'publicKey'>>(
  input: Omit<CeremonyInput, 'keys'> & { readonly keys: Keys },
  root: CeremonyKey,
): Promise<{ readonly certificate: x509.X509Certificate; readonly keys: Keys }> {
  const issuer = new Uint8Array(root.certificate.rawData)
  const { notBefore, notAfter } = prepareIssuer(issuer)
  const asked = await requestOf(input, 'Assay issuing authority', issuingDays)
  const request = {
    ...asked,
    profile: input.issuance.profiles.intermediate,
    issuer,
    pathLength: 0,
    notBefore: Math.max(asked.notBefore, notBefore),
    notAfter: Math.min(asked.notAfter, notAfter),
  }
  const certificate = await create(input, request, root.keys.privateKey)
  return { certificate, keys: input.keys }
}

/** The certificate (DER) of an authority that was made before, for another ceremony under it. */
export function parseAuthorityCertificate(certificate: Uint8Array): x509.X509Certificate {
  return new x509.X509Certificate(Uint8Array.from(certificate))
}

async function create(
  { crypto, issuance }: Pick<CeremonyInput, 'crypto' | 'issuance'>,
  request: AuthorityRequest,
  key: CryptoKey,
): Promise<x509.X509Certificate> {
  const prepared = prepareAuthority(request, issuance.throwaway)
  return parseAuthorityCertificate(await issueAuthority(prepared, createSigner(crypto, key)))
}

/** All of a request but where it stands in the hierarchy; in each, the root's algorithm is what signs. */
async function requestOf(
  input: Omit<CeremonyInput, 'keys'> & { readonly keys: Pick<CryptoKeyPair, 'publicKey'> },
  kind: string,
  days: number,
): Promise<Omit<AuthorityRequest, 'profile' | 'issuer' | 'pathLength'>> {
  const { crypto, trustDomain, now, serial, keys } = input
  const seconds = input.lifetimeSeconds ?? days * daySeconds
  return {
    signatureAlgorithm: 'ES384',
    spki: new Uint8Array(await crypto.subtle.exportKey('spki', keys.publicKey)),
    subject: commonName(nameOf(kind, trustDomain)),
    trustDomain,
    serial,
    notBefore: now.getTime() - backdateMs,
    notAfter: now.getTime() + (seconds - 1) * 1000,
  }
}

/** A long trust domain stands in the alternative name alone. */
function nameOf(kind: string, trustDomain: string): string {
  const text = `${kind} of ${trustDomain}`
  return text.length > longestName ? kind : text
}

function createSigner(crypto: Crypto, key: CryptoKey): CertificateSigner {
  return {
    algorithm: 'ES384',
    sign: async message =>
      new Uint8Array(await crypto.subtle.sign(rootAlgorithm, key, Uint8Array.from(message))),
  }
}
