import test from 'ava'
import { parseTpmtPublic, type TpmtPublic } from '../../../src/core/tpm/public.ts'
import {
  attributeNames,
  brokenAttributeRule,
  reservedAttributes,
  TPMA_OBJECT,
} from '../../../src/core/tpm/attributes.ts'
import { attestationKeyTemplate, endorsementTemplates } from '../../../src/core/tpm/templates.ts'

test('the bits are those of the specification', t => {
  t.deepEqual(TPMA_OBJECT, {
    fixedTPM: 0x2,
    stClear: 0x4,
    fixedParent: 0x10,
    sensitiveDataOrigin: 0x20,
    userWithAuth: 0x40,
    adminWithPolicy: 0x80,
    noDA: 0x400,
    encryptedDuplication: 0x800,
    restricted: 0x1_0000,
    decrypt: 0x2_0000,
    sign: 0x4_0000,
    x509sign: 0x8_0000,
  })
})

test('each reserved bit is seen, and no other', t => {
  const reserved = [0, 3, 8, 9, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]
  for (let bit = 0; bit < 32; bit += 1) {
    const attributes = 2 ** bit
    t.is(reservedAttributes(attributes), reserved.includes(bit) ? attributes : 0)
  }
})

test('attributes are named for people', t => {
  t.is(attributeNames(0), 'none')
  const area = parseTpmtPublic(attestationKeyTemplate(new Uint8Array(32)))
  const names = 'fixedTPM fixedParent sensitiveDataOrigin userWithAuth noDA restricted sign'
  t.is(attributeNames(area.objectAttributes), names)
  const endorsement = endorsementTemplates[0]?.public as TpmtPublic
  t.is(
    attributeNames(endorsement.objectAttributes),
    'fixedTPM fixedParent sensitiveDataOrigin adminWithPolicy restricted decrypt',
  )
})

test('a rule is broken by a missing, a forbidden or a reserved attribute, and says which', t => {
  const rule = { required: ['fixedTPM', 'sign'], forbidden: ['decrypt'] } as const
  t.is(brokenAttributeRule(0x0004_0002, rule), undefined)
  t.is(brokenAttributeRule(0x0004_0042, rule), undefined)
  t.is(brokenAttributeRule(0x0004_0000, rule), 'fixedTPM set')
  t.is(brokenAttributeRule(0x0006_0002, rule), 'decrypt clear')
  t.is(brokenAttributeRule(0x8004_0002, rule), 'reserved bits 0x80000000 clear')
})
