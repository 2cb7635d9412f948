import test from 'ava'
import { encodeEnvelope, parseEnvelope } from '../../../src/core/formats/envelope.ts'
import { hsmFormats, isHsmFormatId } from '../../../src/core/formats/format-table.ts'
import { VerifiedHsmKey } from '../../../src/core/formats/hsm/verified.ts'
import { refusalOf } from '../verifier/fixtures.ts'
import {
  context,
  declaredEvidence,
  expectations,
  inspectedEvidence,
  yubiHsmEvidence,
} from './hsm-fixtures.ts'

const code = 'evidence-unreadable'
const evidence = {
  'hsm-attested': yubiHsmEvidence(),
  'hsm-inspected': inspectedEvidence(),
  'hsm-declared': declaredEvidence(),
} as const

for (const id of ['hsm-attested', 'hsm-inspected', 'hsm-declared'] as const)
  test(`Evidence of ${id} is kept, read back, and verified as it was`, t => {
    const format = hsmFormats[id]
    const kept = encodeEnvelope(format, evidence[id])
    const read = parseEnvelope(format, kept)
    t.deepEqual(encodeEnvelope(format, read), kept)
    const { context: _key, ...basis } = expectations
    const { audience, contextId: enrollmentId, nonce } = context
    const challenge = { audience, enrollmentId, nonce, secret: new Uint8Array(), pcrs: [] }
    t.is(
      refusalOf(() => format.verify(read, { ...basis, challenge })),
      'accepted',
    )
    const other = { ...challenge, enrollmentId: 'another' }
    t.is(
      refusalOf(() => format.verify(read, { ...basis, challenge: other })),
      'hsm-proof',
    )
  })

test('Evidence of one level is not read as of another', t => {
  const kept = encodeEnvelope(hsmFormats['hsm-declared'], evidence['hsm-declared'])
  t.throws(() => parseEnvelope(hsmFormats['hsm-attested'], kept), { code })
  t.throws(() => parseEnvelope(hsmFormats['hsm-declared'], kept.subarray(1)), { code })
  t.true(isHsmFormatId('hsm-declared'))
  t.false(isHsmFormatId('tpm2'))
})

test('nobody but a format makes a verified key', t => {
  const Forged = VerifiedHsmKey as unknown as new (...args: unknown[]) => unknown
  t.throws(() => new Forged(Symbol('hsm key'), {}), { instanceOf: TypeError })
})
