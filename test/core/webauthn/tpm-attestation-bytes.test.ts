import test from 'ava'
import * as fc from 'fast-check'
import { verifyTpmAttestation } from '../../../src/core/webauthn/tpm-attestation.ts'
import { refusalOf } from '../verifier/fixtures.ts'
import { expected, refusal, statementOf } from './fixtures.ts'

test('P1 a certification or signature with a byte more or less is malformed', t => {
  const longer = (bytes: Uint8Array): Uint8Array => Buffer.concat([bytes, Uint8Array.of(0)])
  const shorter = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, -1)
  for (const change of [longer, shorter]) {
    t.is(refusal({ certify: { bytes: change } }), 'statement-attest-malformed')
    t.is(refusal({ certify: { signature: change } }), 'statement-attest-malformed')
    const bare = { form: 'bare', certify: {} } as const
    const attStmt = (members: Readonly<Record<string, unknown>>): object => ({
      ...members,
      sig: change(members['sig'] as Uint8Array),
    })
    t.is(
      refusal(
        { ...bare, attStmt: members => attStmt(members) as never },
        { signatureForm: 'bare' },
      ),
      'statement-attest-malformed',
    )
  }
})

test('authenticator data that is absent, cut off, too long or without a credential is refused', t => {
  const code = 'statement-authenticator-data'
  t.is(refusal({ object: ({ authData: _authData, ...members }) => members }), code)
  const flags = (value: number) => (bytes: Uint8Array) => {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(value, 32)
    return changed
  }
  t.is(refusal({ authData: flags(0x05) }), code)
  t.is(refusal({ authData: flags(0xc5) }), code)
  t.is(refusal({ authData: bytes => bytes.subarray(0, -1) }), code)
  t.is(refusal({ authData: bytes => bytes.subarray(0, 36) }), code)
  t.is(refusal({ authData: bytes => Buffer.concat([bytes, Uint8Array.of(0xa0)]) }), code)
  const extended = (bytes: Uint8Array): Uint8Array =>
    Buffer.concat([flags(0xc5)(bytes), Uint8Array.of(0xa0)])
  t.is(refusal({ authData: extended }), 'accepted')
  t.is(refusal({ coseKey: () => new Map([[1, 2]]) }), code)
  t.is(refusal({ coseKey: key => new Map([...key, [3, -257]]) }), code)
  t.is(refusal({ coseKey: key => new Map([...key, [3, -65_535]]) }), code)
  t.is(refusal({ coseKey: () => [] as never }), code)
})

test('any byte changed gives a refusal by a code', t => {
  const bytes = statementOf()
  t.is(
    refusalOf(() => verifyTpmAttestation(bytes, expected)),
    'accepted',
  )
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(at) ^ mask, at)
      t.not(
        refusalOf(() => verifyTpmAttestation(changed, expected)),
        'accepted',
      )
    }),
    { numRuns: 1000 },
  )
})

test('P2 a statement that is cut off at any offset, or longer by a byte, is malformed', t => {
  const bytes = statementOf()
  const shorter = Array.from(bytes.keys()).map(end => bytes.subarray(0, end))
  for (const changed of [...shorter, Buffer.concat([bytes, Uint8Array.of(0)])])
    t.is(
      refusalOf(() => verifyTpmAttestation(changed, expected)),
      'statement-malformed',
    )
})

test('P4 a statement of more than 64 KiB is malformed', t => {
  const sig = new Uint8Array(0x1_0000)
  t.is(refusal({ attStmt: members => ({ ...members, sig }) }), 'statement-malformed')
})

test('any bytes give a refusal by a code', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      t.is(
        refusalOf(() => verifyTpmAttestation(bytes, expected)),
        'statement-malformed',
      )
    }),
  )
})
