import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import {
  encodeAssuranceLevel,
  encodeAttestationResult,
  parseAttestationReference,
} from '../../../src/core/issuance/attestation-extension.ts'
import { extensionIds as ids } from '../../../src/core/issuance/extension-name.ts'
import { assuranceLevels } from '../../../src/core/verifier/assurance.ts'
import { certificate, extensions } from './lint-fixtures.ts'

const code = 'certificate-malformed'
const resultSha256 = '0f'.repeat(32)

test('every assurance level is read back from the certificate, with the digest of its result', t => {
  for (const assurance of assuranceLevels) {
    const reference = { assurance, resultSha256 }
    const changes = [
      { id: ids.assuranceLevel, value: encodeAssuranceLevel(reference) },
      { id: ids.attestationResult, value: encodeAttestationResult(reference) },
    ]
    const bytes = certificate({ extensions: extensions(changes) })
    t.deepEqual(parseAttestationReference(bytes), reference)
  }
})

test('a certificate without attestation says nothing of one', t => {
  t.is(parseAttestationReference(certificate({ extensions: extensions().slice(0, 6) })), undefined)
})

test('refuses one of the two without the other', t => {
  for (const id of [ids.assuranceLevel, ids.attestationResult]) {
    const rest = extensions().filter(extension => extension.id !== id)
    t.throws(() => parseAttestationReference(certificate({ extensions: rest })), { code })
  }
})

const sha384 = der.sequence(der.objectIdentifier('2.16.840.1.101.3.4.2.2'))
const sha256 = der.sequence(der.objectIdentifier('2.16.840.1.101.3.4.2.1'))

const defects: readonly (readonly [string, string, Uint8Array])[] = [
  ['a level that is no level', ids.assuranceLevel, der.utf8String('tpm')],
  ['a level of another string type', ids.assuranceLevel, der.tlv(0x13, Buffer.from('emulated'))],
  [
    'a level with a byte behind it',
    ids.assuranceLevel,
    Buffer.concat([der.utf8String('emulated'), Buffer.of(0)]),
  ],
  ['another hash', ids.attestationResult, der.sequence(sha384, der.octetString(Buffer.alloc(32)))],
  [
    'a short digest',
    ids.attestationResult,
    der.sequence(sha256, der.octetString(Buffer.alloc(31))),
  ],
  ['no digest', ids.attestationResult, der.sequence(sha256)],
]

for (const [what, id, value] of defects) {
  test(`refuses ${what}`, t => {
    const bytes = certificate({ extensions: extensions([{ id, value }]) })
    t.throws(() => parseAttestationReference(bytes), { code })
  })
}

test('a digest of another length is the caller’s bug', t => {
  const reference = { assurance: 'emulated', resultSha256: 'ab' } as const
  t.throws(() => encodeAttestationResult(reference), { instanceOf: TypeError })
})
