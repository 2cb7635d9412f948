import test from 'ava'
import * as fc from 'fast-check'
import { checkTable } from '../../../src/core/verifier/check-table.ts'
import type { EvidenceInput } from '../../../src/core/verifier/evidence.ts'
import { mutantsOf } from '../../support/mutations.ts'
import { answer, beginEnrollment, refusalOf, verify } from './fixtures.ts'

const enrollment = beginEnrollment()
const mutants = mutantsOf(enrollment.tpm)

test('every mutant of an honest answer is refused, by a code of the verifier', t => {
  const names = new Set(mutants.map(({ name }) => name))
  t.is(names.size, mutants.length)
  t.true(mutants.length > 900, `${mutants.length}`)
  const codes = new Set<string>()
  for (const { name, edit } of mutants) {
    const input = answer(enrollment, edit)
    const code = refusalOf(() => verify(enrollment, input))
    if (code === 'accepted') t.fail(name)
    codes.add(code)
  }
  // They get as far as each rule for what the TPM signed and for the key that it certified.
  const rules = Object.keys(checkTable).filter(code => /^(quote|certify|subject)-/.test(code))
  t.deepEqual(
    rules.filter(code => !codes.has(code)),
    [],
  )
})

test('an answer that is not changed is accepted, before and after all of them', t => {
  t.is(
    refusalOf(() => verify(enrollment, answer(enrollment))),
    'accepted',
  )
})

type Answer = Omit<EvidenceInput, 'activation'>

/** Each member of an answer that is bytes: how it is read and how it is put in another's place. */
const members: readonly [
  string,
  (answer: Answer) => Uint8Array,
  (answer: Answer, bytes: Uint8Array) => Answer,
][] = [
  [
    'quote',
    ({ quote }) => quote.attest,
    (value, attest) => ({ ...value, quote: { ...value.quote, attest } }),
  ],
  [
    'signature of the quote',
    ({ quote }) => quote.signature,
    (value, signature) => ({ ...value, quote: { ...value.quote, signature } }),
  ],
  [
    'certification',
    ({ subjectKey }) => subjectKey.certify.attest,
    (value, attest) => withCertify(value, { ...value.subjectKey.certify, attest }),
  ],
  [
    'signature of the certification',
    ({ subjectKey }) => subjectKey.certify.signature,
    (value, signature) => withCertify(value, { ...value.subjectKey.certify, signature }),
  ],
  [
    'public area',
    ({ subjectKey }) => subjectKey.public,
    (value, bytes) => ({ ...value, subjectKey: { ...value.subjectKey, public: bytes } }),
  ],
  [
    'parent',
    ({ subjectKey }) => subjectKey.parent.public,
    (value, bytes) => {
      const parent = { ...value.subjectKey.parent, public: bytes }
      return { ...value, subjectKey: { ...value.subjectKey, parent } }
    },
  ],
  ['request', ({ csr }) => csr, (value, csr) => ({ ...value, csr })],
]

function withCertify(value: Answer, certify: Answer['subjectKey']['certify']): Answer {
  return { ...value, subjectKey: { ...value.subjectKey, certify } }
}

const member = fc.constantFrom(...members)

test('any byte of any member changed is refused, though the proof is made over the change', t => {
  fc.assert(
    fc.property(member, fc.nat(), fc.integer({ min: 1, max: 255 }), ([, read, write], at, mask) => {
      const change = (value: Answer): Answer => {
        const bytes = Buffer.from(read(value))
        const offset = at % bytes.length
        bytes.writeUInt8(bytes.readUInt8(offset) ^ mask, offset)
        return write(value, bytes)
      }
      const input = answer(enrollment, { answer: change })
      t.not(
        refusalOf(() => verify(enrollment, input)),
        'accepted',
      )
    }),
    { numRuns: 600 },
  )
})

test('any bytes in the place of any member are refused, by a code of the verifier', t => {
  fc.assert(
    fc.property(member, fc.uint8Array({ maxLength: 300 }), ([, , write], bytes) => {
      const input = answer(enrollment, { answer: value => write(value, bytes) })
      t.not(
        refusalOf(() => verify(enrollment, input)),
        'accepted',
      )
    }),
    { numRuns: 300 },
  )
})

test('any byte of the proof changed is refused', t => {
  const input = answer(enrollment)
  for (let at = 0; at < input.activation.length; at += 1) {
    const activation = Buffer.from(input.activation)
    activation.writeUInt8(activation.readUInt8(at) ^ 1, at)
    t.is(
      refusalOf(() => verify(enrollment, { ...input, activation })),
      'activation-proof',
    )
  }
})
