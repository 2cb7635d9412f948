import * as der from '../../../src/core/der/writer.ts'
import { extensionIds as ids } from '../../../src/core/issuance/extension-name.ts'
import type { CertificateTerms } from '../../../src/core/issuance/lint.ts'
import { authorityExtensions, authorityTerms, type Defect } from './authority-defects.ts'
import { hour, now, spiffeId } from './fixtures.ts'
import { extensions, purposes, purposesOf, terms, uris } from './lint-fixtures.ts'

/** What X509-SVID, or the attestation that it rests on, does not let a certificate say. */
export const svidDefects: readonly Defect[] = [
  ['two SPIFFE IDs', 'lint-svid-uri', { extensions: extensions([sans(spiffeId, `${spiffeId}x`)]) }],
  ['another SPIFFE ID', 'lint-svid-uri', { extensions: extensions([sans(`${spiffeId}x`)]) }],
  [
    'no SPIFFE ID',
    'lint-svid-uri',
    {
      extensions: extensions([
        {
          id: ids.subjectAlternativeName,
          value: der.sequence(der.implicitPrimitive(2, Buffer.from('a.example'))),
        },
      ]),
    },
  ],
  [
    'no alternative name',
    'lint-svid-uri',
    { extensions: extensions().filter(({ id }) => id !== ids.subjectAlternativeName) },
    { extensions: terms.extensions.filter(({ id }) => id !== ids.subjectAlternativeName) },
  ],
  [
    'a leaf with the SPIFFE ID of its trust domain',
    'lint-svid-path',
    { extensions: extensions([sans('spiffe://example.org')]) },
    { svid: 'spiffe://example.org' },
  ],
  [
    'an authority with a path in its SPIFFE ID',
    'lint-svid-path',
    { extensions: extensions([...authorityExtensions.slice(0, 2), sans(spiffeId)]) },
    { ...authorityTerms, svid: spiffeId },
  ],
  [
    'purposes without those of clients',
    'lint-svid-purposes',
    { extensions: extensions([{ id: ids.extendedKeyUsage, value: purposes('serverAuth') }]) },
    { extendedKeyUsage: purposesOf('serverAuth') },
  ],
  [
    'a key of an X509-SVID that is not for signing',
    'lint-svid-key-usage',
    { extensions: extensions([{ id: ids.keyUsage, critical: true, value: der.namedBits(0x08) }]) },
    { keyUsage: 0x10 },
  ],
  [
    'an authority that does not sign certificates',
    'lint-svid-key-usage',
    {
      extensions: extensions([
        authorityExtensions[0] as never,
        { id: ids.keyUsage, critical: true, value: der.namedBits(0x80) },
        sans('spiffe://example.org'),
      ]),
    },
    { ...authorityTerms, keyUsage: 1 },
  ],
  [
    'an end behind that of the Attestation Result',
    'lint-attestation-validity',
    {},
    { attestation: { ...attested(), expiresAt: now + hour - 30_001 } },
  ],
  [
    'another assurance level',
    'lint-assurance-level',
    {},
    { attestation: { ...attested(), assurance: 'emulated' } },
  ],
  [
    'an assurance level without attestation',
    'lint-assurance-level',
    {},
    { attestation: undefined },
  ],
  [
    'no assurance level',
    'lint-assurance-level',
    { extensions: extensions().filter(({ id }) => id !== ids.assuranceLevel) },
    { extensions: terms.extensions.filter(({ id }) => id !== ids.assuranceLevel) },
  ],
  [
    'another Attestation Result',
    'lint-attestation-result',
    {},
    { attestation: { ...attested(), resultSha256: 'cd'.repeat(32) } },
  ],
  [
    'no Attestation Result',
    'lint-attestation-result',
    { extensions: extensions().filter(({ id }) => id !== ids.attestationResult) },
    { extensions: terms.extensions.filter(({ id }) => id !== ids.attestationResult) },
  ],
  [
    'an Attestation Result without attestation',
    'lint-attestation-result',
    { extensions: extensions().filter(({ id }) => id !== ids.assuranceLevel) },
    {
      extensions: terms.extensions.filter(({ id }) => id !== ids.assuranceLevel),
      attestation: undefined,
    },
  ],
]

function sans(...texts: string[]): { id: string; value: Uint8Array } {
  return { id: ids.subjectAlternativeName, value: uris(...texts) }
}

/** The attestation of the good terms. */
export function attested(): NonNullable<CertificateTerms['attestation']> {
  if (terms.attestation === undefined) throw new TypeError('the good terms have one')
  return terms.attestation
}
