import { generateKeyPairSync } from 'node:crypto'
import * as der from '../../../src/core/der/writer.ts'
import { extensionIds as ids } from '../../../src/core/issuance/extension-name.ts'
import type { AuthorityTerms, CertificateTerms } from '../../../src/core/issuance/lint.ts'
import {
  keyIdentifier,
  type BuiltCertificate,
  type BuiltExtension,
} from '../../support/certificate-builder.ts'
import { extensions, purposesOf, spki, terms, uris } from './lint-fixtures.ts'

/** What is wrong, the lint that finds it first, the certificate's members, and the terms it is held against. */
export type Defect = readonly [
  string,
  string,
  Partial<BuiltCertificate>,
  Partial<CertificateTerms>?,
]

const authority: AuthorityTerms = { pathLength: 0, maxPathLength: 1, curves: ['P-256'] }

/** What the terms of a good authority have in other ways than those of a leaf. */
export const authorityTerms: Partial<CertificateTerms> & { readonly authority: AuthorityTerms } = {
  authority,
  keyUsage: 0x60,
  extendedKeyUsage: purposesOf('serverAuth', 'clientAuth'),
  svid: 'spiffe://example.org',
}

const constraints = (pathLength?: number): BuiltExtension => ({
  id: ids.basicConstraints,
  critical: true,
  value: der.sequence(
    der.booleanTrue,
    ...(pathLength === undefined ? [] : [der.smallInteger(pathLength)]),
  ),
})
const usage = (byte: number): BuiltExtension => ({
  id: ids.keyUsage,
  critical: true,
  value: der.namedBits(byte),
})

/** Extensions of a good authority, to be put in the places of a leaf's. */
export const authorityExtensions: readonly BuiltExtension[] = [
  constraints(0),
  usage(0x06),
  { id: ids.subjectAlternativeName, value: uris('spiffe://example.org') },
]

const good = { extensions: extensions(authorityExtensions) }

/** DER NameConstraints that permit URIs of these hosts. */
export function permittedHosts(...hosts: readonly string[]): Uint8Array {
  const subtrees = hosts.map(host => der.sequence(der.implicitPrimitive(6, Buffer.from(host))))
  return der.sequence(der.contextConstructed(0, ...subtrees))
}

/** A certificate and terms with name constraints. */
export function constrained(
  value: Uint8Array,
  critical: boolean,
  promised = value,
): readonly [Partial<BuiltCertificate>, Partial<CertificateTerms>] {
  const id = ids.nameConstraints
  return [
    { extensions: [...good.extensions, { id, critical, value }] },
    {
      ...authorityTerms,
      authority: { ...authority, nameConstraints: promised },
      extensions: [...terms.extensions, { id, isCritical: critical }],
    },
  ]
}

/** A certificate and terms of an authority with another key. */
function keyed(
  key: Uint8Array,
  changes: Partial<AuthorityTerms> = {},
): readonly [Partial<BuiltCertificate>, Partial<CertificateTerms>] {
  const value = der.octetString(keyIdentifier(key))
  const own = [...authorityExtensions, { id: ids.subjectKeyIdentifier, value }]
  return [
    { spki: key, extensions: extensions(own) },
    { ...authorityTerms, spki: key, authority: { ...authority, ...changes } },
  ]
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
const rsaSpki = rsa.export({ format: 'der', type: 'spki' })
const offCurve = Buffer.from(spki)
offCurve.writeUInt8((offCurve.at(-1) ?? 0) ^ 1, offCurve.length - 1)

/** What can be wrong with an authority alone. */
export const authorityDefects: readonly Defect[] = [
  [
    'an authority as long as its issuer',
    'lint-path-length',
    good,
    { ...authorityTerms, issuer: { ...terms.issuer, pathLength: 0 } },
  ],
  [
    'a longer path than the profile has',
    'lint-path-length',
    { extensions: extensions([constraints(2), ...authorityExtensions.slice(1)]) },
    { ...authorityTerms, authority: { ...authority, pathLength: 2 } },
  ],
  [
    'an authority of any path length',
    'lint-path-length',
    { extensions: extensions([constraints(), ...authorityExtensions.slice(1)]) },
    { ...authorityTerms, authority: { ...authority, pathLength: undefined } },
  ],
  [
    'an authority that signs documents too',
    'lint-authority-usage',
    {
      extensions: extensions([constraints(0), usage(0x86), ...authorityExtensions.slice(2)]),
    },
    { ...authorityTerms, keyUsage: 0x61 },
  ],
  [
    'an authority that signs no lists',
    'lint-authority-usage',
    {
      extensions: extensions([constraints(0), usage(0x04), ...authorityExtensions.slice(2)]),
    },
    { ...authorityTerms, keyUsage: 0x20 },
  ],
  [
    'a leaf that signs lists',
    'lint-authority-usage',
    { extensions: extensions([usage(0x82)]) },
    { keyUsage: 0x41, svid: undefined },
  ],
  ['an authority on RSA', 'lint-authority-key', ...keyed(rsaSpki)],
  [
    'an authority on another curve',
    'lint-authority-key',
    ...keyed(Buffer.from(spki), { curves: ['P-384'] }),
  ],
  ['an authority with a point off its curve', 'lint-authority-key', ...keyed(offCurve)],
  [
    'constraints that are not critical',
    'lint-name-constraints',
    ...constrained(permittedHosts('example.org'), false),
  ],
  [
    'other constraints than were asked for',
    'lint-name-constraints',
    ...constrained(permittedHosts('example.org'), true, permittedHosts('example.com')),
  ],
  [
    'constraints that shut out the trust domain',
    'lint-name-constraints',
    ...constrained(permittedHosts('example.com', 'a.example.org'), true),
  ],
]
