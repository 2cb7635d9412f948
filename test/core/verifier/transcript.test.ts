import { createHash, createHmac } from 'node:crypto'
import test from 'ava'
import {
  activationProof,
  certifyBinding,
  quoteBinding,
  type CertifyContext,
  type EnrollmentContext,
} from '../../../src/core/verifier/transcript.ts'

const certify: CertifyContext = {
  purpose: 'host',
  audience: 'https://assay.example',
  contextId: 'enrolment',
  nonce: Buffer.from('nonce'),
  csr: Buffer.from('request'),
  subjectName: Buffer.from('name'),
}
const context: EnrollmentContext = {
  audience: 'https://assay.example',
  enrollmentId: 'enrolment',
  nonce: Buffer.from('nonce'),
  endorsementName: Buffer.from('endorsement'),
  attestationName: Buffer.from('attestation'),
}
const answer = {
  quote: Buffer.from('quote'),
  certify: Buffer.from('certify'),
  csr: Buffer.from('csr'),
}
const secret = Buffer.alloc(32, 7)

/** A 32-bit length before each field: written here once more, so that the bytes are fixed. */
function fields(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    parts.flatMap(part => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(Buffer.from(part).length)
      return [length, Buffer.from(part)]
    }),
  )
}

const sha256 = (part: string | Uint8Array): Buffer => createHash('sha256').update(part).digest()

test('a certification is bound to purpose, service, context, nonce, request and Name, in these bytes', t => {
  const head = ['assay/certify/v1', 'host', 'https://assay.example', 'enrolment', 'nonce']
  const expected = sha256(fields(...head, sha256('request'), 'name'))
  t.deepEqual(certifyBinding(certify), expected)
})

test('a quote is bound to service, enrolment, nonce and both Names, in these bytes', t => {
  const parts = ['https://assay.example', 'enrolment', 'nonce', 'endorsement', 'attestation']
  t.deepEqual(quoteBinding(context), sha256(fields('assay/quote/v1', ...parts)))
})

test('an activation proves the secret over the whole answer, in these bytes', t => {
  const parts = ['https://assay.example', 'enrolment', 'nonce', 'endorsement', 'attestation']
  const hashes = [sha256('quote'), sha256('certify'), sha256('csr')]
  const expected = createHmac('sha256', secret)
    .update(fields('assay/activation/v1', ...parts, ...hashes))
    .digest()
  t.deepEqual(activationProof(secret, context, answer), expected)
})

test('another value of any member gives another binding', t => {
  const text = (value: string | Uint8Array): string => Buffer.from(value).toString('hex')
  const bindings = [text(certifyBinding(certify))]
  for (const member of Object.keys(certify))
    bindings.push(text(certifyBinding({ ...certify, [member]: 'x' })))
  for (const member of ['', ...Object.keys(context)]) {
    const changed = { ...context, [member]: 'x' }
    bindings.push(text(quoteBinding(changed)), text(activationProof(secret, changed, answer)))
  }
  for (const member of Object.keys(answer))
    bindings.push(text(activationProof(secret, context, { ...answer, [member]: 'x' })))
  t.is(new Set(bindings).size, bindings.length)
})

test('moving bytes from one member to the next gives another binding', t => {
  const moved = { ...context, audience: 'https://assay.exampleenrol', enrollmentId: 'ment' }
  t.notDeepEqual(quoteBinding(moved), quoteBinding(context))
})
