import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { booleanAttributes, type HsmAttributes } from '../../../src/core/formats/hsm/attributes.ts'
import { createTestKey } from '../../support/compact-jws.ts'
import { certificationRequest } from '../../support/certification-request.ts'
import { refusalOf } from '../verifier/fixtures.ts'
import {
  completed,
  context,
  inspectedEvidence,
  key,
  signAs,
  token,
  verified,
} from './hsm-fixtures.ts'
import { goodAttributes } from '../../../swtpm/emulated/hsm-attributes.ts'

const format = 'hsm-inspected'

function refusal(...args: Parameters<typeof inspectedEvidence>): string {
  return refusalOf(() => verified(format, inspectedEvidence(...args)))
}

test('a key that the service found in the token as it must be is verified', t => {
  const proven = verified(format, inspectedEvidence())
  t.is(proven.jkt, key.jkt)
  t.is(proven.assurance, 'hsm-inspected')
  t.is(proven.endorsementKind, 'inspected')
  t.deepEqual(proven.facts, {
    token,
    vendor: token.manufacturer,
    firmware: '7.3',
    properties: { modifiable: 'false', copyable: 'false', destroyable: 'true' },
  })
  t.is(verified(format, inspectedEvidence({}, {}, createTestKey('P-384'))).jwk.crv, 'P-384')
})

const wrong: readonly (readonly [Partial<HsmAttributes>, string])[] = [
  [{ CKA_TOKEN: false }, 'hsm-session-object'],
  [{ CKA_PRIVATE: false }, 'hsm-session-object'],
  [{ CKA_EXTRACTABLE: true }, 'hsm-extractable'],
  [{ CKA_EXTRACTABLE: null }, 'hsm-extractable'],
  [{ CKA_NEVER_EXTRACTABLE: false }, 'hsm-ever-extractable'],
  [{ CKA_NEVER_EXTRACTABLE: null }, 'hsm-ever-extractable'],
  [{ CKA_SENSITIVE: false }, 'hsm-sensitive'],
  [{ CKA_ALWAYS_SENSITIVE: false }, 'hsm-sensitive'],
  [{ CKA_LOCAL: false }, 'hsm-not-local'],
  [{ CKA_LOCAL: null }, 'hsm-not-local'],
  [{ CKA_SIGN: false }, 'hsm-usage'],
  [{ CKA_SIGN_RECOVER: true }, 'hsm-usage'],
  [{ CKA_DECRYPT: true }, 'hsm-usage'],
  [{ CKA_UNWRAP: true }, 'hsm-usage'],
  [{ CKA_DERIVE: true }, 'hsm-usage'],
  [{ CKA_WRAP: true }, 'hsm-usage'],
  [{ CKA_KEY_GEN_MECHANISM: null }, 'hsm-mechanism'],
  [{ CKA_KEY_GEN_MECHANISM: 0x1050 }, 'hsm-mechanism'],
]

for (const [change, code] of wrong)
  test(`${JSON.stringify(change)} is refused`, t => {
    t.is(refusal({ attributes: { ...goodAttributes, ...change } }), code)
  })

test('what the token does not have of usages counts as not there', t => {
  const absent = { CKA_SIGN_RECOVER: null, CKA_DECRYPT: null, CKA_UNWRAP: null, CKA_DERIVE: null }
  t.is(refusal({ attributes: { ...goodAttributes, ...absent } }), 'accepted')
})

test('another key than that of the request, or a signature that the token did not make, is refused', t => {
  const other = createTestKey()
  const spki = other.publicKey.export({ format: 'der', type: 'spki' })
  t.is(refusal({ spki }), 'hsm-inspection-key')
  const edwards = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' })
  t.is(refusal({ spki: edwards }), 'hsm-inspection-key')
  t.is(refusal({ signature: new Uint8Array(64) }), 'hsm-inspection-signature')
  t.is(refusal({ signature: signAs(other, context.nonce) }), 'hsm-inspection-signature')
})

test('software is recognised by what the service itself sees', t => {
  const soft = { manufacturer: 'SoftHSM project', model: 'SoftHSM v2', serial: '1' }
  t.is(verified(format, inspectedEvidence({ token: soft }, { token: soft })).assurance, 'emulated')
  const renamed = { ...soft, manufacturer: 'Maker of HSMs' }
  const evidence = inspectedEvidence({ token: renamed }, { token: renamed })
  t.is(verified(format, evidence).assurance, 'emulated')
})

test('another token than the host claimed is refused', t => {
  t.is(refusal({ token: { ...token, serial: '0043' } }), 'hsm-token-differs')
})

test('a record that is not as the service writes it is refused', t => {
  const code = 'hsm-inspection-malformed'
  const good = inspectedEvidence()
  const record = JSON.parse(Buffer.from(good.statement).toString()) as Record<string, unknown>
  const kept = (changed: unknown): string => {
    const statement = Buffer.from(JSON.stringify(changed))
    return refusalOf(() => verified(format, { ...good, statement }))
  }
  t.is(kept(record), 'accepted')
  for (const member of Object.keys(record)) t.is(kept({ ...record, [member]: null }), code, member)
  t.is(kept({ ...record, firmware: 7 }), code)
  t.is(kept({ ...record, spki: '' }), code)
  t.is(kept({ ...record, token: { ...token, more: 1 } }), code)
  t.is(kept({ ...record, token: { ...token, serial: '' } }), code)
  t.is(kept({ ...record, token: { ...token, model: 7 } }), code)
  t.is(kept({ ...record, token: { ...token, manufacturer: '\u0000' } }), code)
  t.is(kept({ ...record, attributes: { ...goodAttributes, CKA_TRUSTED: true } }), code)
  t.is(kept({ ...record, attributes: { ...goodAttributes, CKA_LOCAL: 1 } }), code)
  t.is(kept({ ...record, attributes: { ...goodAttributes, CKA_KEY_GEN_MECHANISM: 'EC' } }), code)
  t.is(kept('text'), code)
  t.is(booleanAttributes.length + 1, Object.keys(goodAttributes).length)
})

test('a request that cannot be read, is unsigned, or is of another kind of key is refused', t => {
  const other = createTestKey()
  const of = (csr: Uint8Array): string =>
    refusalOf(() => verified(format, completed(format, { statement: new Uint8Array(), csr })))
  t.is(of(new Uint8Array()), 'csr-unreadable')
  t.is(of(certificationRequest(key, other)), 'csr-unsigned')
  const offCurve = Buffer.from(certificationRequest(key))
  const at = offCurve.indexOf(Buffer.from('034200', 'hex')) + 4
  offCurve[at] = (offCurve[at] ?? 0) ^ 1
  t.is(of(offCurve), 'hsm-key-unsupported')
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' })
  for (const { publicKey } of [rsa, p521])
    t.is(of(certificationRequest({ ...key, publicKey }, key)), 'hsm-key-unsupported')
})
