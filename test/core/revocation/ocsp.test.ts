import test from 'ava'
import { createHash, X509Certificate } from 'node:crypto'
import * as der from '../../../src/core/der/writer.ts'
import {
  createOcspAnswer,
  encodeOcspRefusal,
  type OcspStatus,
} from '../../../src/core/revocation/ocsp-answer.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { X509Error } from '../../../src/core/x509/error.ts'
import { parseOcspResponse } from '../../../src/core/x509/ocsp.ts'
import { isIssuerNamed } from '../../../src/core/x509/ocsp-certificate-id.ts'
import { parseOcspRequest } from '../../../src/core/x509/ocsp-request.ts'
import { encodeOcspQuestion } from '../../../src/core/x509/ocsp-question.ts'
import { isAnsweredFor } from '../../../src/core/x509/revocation-signer.ts'
import {
  certificateId,
  createResponder,
  day,
  extensionsOf,
  issuer,
  nonceOf,
  now,
  ocspRequest,
} from './fixtures.ts'

const serial = Uint8Array.of(0x40, 1)
const id = certificateId(serial)

function code(bytes: Uint8Array): string | undefined {
  try {
    parseOcspRequest(bytes)
    return undefined
  } catch (error) {
    return error instanceof X509Error ? error.code : String(error)
  }
}

test('a request is read: which certificate of which issuer, and the nonce', t => {
  const nonce = new Uint8Array(32).fill(7)
  const request = parseOcspRequest(ocspRequest({ ids: [id], extensions: nonceOf(nonce) }))
  const [question] = request.questions
  t.is(request.questions.length, 1)
  t.deepEqual(Buffer.from(request.nonce ?? []), Buffer.from(nonce))
  t.deepEqual(Buffer.from(question?.encoded ?? []), Buffer.from(id))
  t.deepEqual(Buffer.from(question?.serialNumber ?? []), Buffer.from(serial))
  const { subject, keyBits } = parseCertificate(issuer).fields
  const named = { name: subject.encoded, keyBits }
  t.true(question !== undefined && isIssuerNamed(question, named))
  t.false(question !== undefined && isIssuerNamed(question, { ...named, keyBits: serial }))
  t.false(question !== undefined && isIssuerNamed(question, { ...named, name: serial }))
})

test('a question of our own is read as one about that certificate', t => {
  const responderCertificate = parseCertificate(responder.certificate)
  const issuing = parseCertificate(issuer)
  const { questions } = parseOcspRequest(encodeOcspQuestion(responderCertificate, issuing))
  const { subject, keyBits } = issuing.fields
  t.is(questions.length, 1)
  t.is(questions[0]?.hash, 'sha1')
  t.true(questions.every(each => isIssuerNamed(each, { name: subject.encoded, keyBits })))
  const { serialNumber } = responderCertificate.fields
  t.deepEqual(Buffer.from(questions[0]?.serialNumber ?? []), Buffer.from(serialNumber))
})

test('who asks, who signed that, and extensions of no account are passed over', t => {
  const other = extensionsOf('1.2.3', false, der.octetString(serial))
  const name = der.implicitPrimitive(6, Buffer.from('urn:me'))
  const bytes = ocspRequest({
    ids: [id],
    extensions: other,
    single: other,
    before: name,
    after: der.sequence(),
  })
  t.is(parseOcspRequest(bytes).nonce, undefined)
})

test('a nonce has 1 to 128 octets', t => {
  const ask = (length: number): Uint8Array =>
    ocspRequest({ ids: [id], extensions: nonceOf(new Uint8Array(length)) })
  for (const length of [1, 16, 32, 128]) t.is(code(ask(length)), undefined)
  for (const length of [0, 129]) t.is(code(ask(length)), 'ocsp-request-malformed')
})

test('a request beyond its bounds is refused', t => {
  const many = (count: number): Uint8Array[] => Array.from({ length: count }, () => id)
  const critical = extensionsOf('1.2.3', true, der.octetString(serial))
  const sha512 = der.sequence(der.objectIdentifier('2.16.840.1.101.3.4.2.3'))
  for (const parts of [
    { ids: [] },
    { ids: many(33) },
    { ids: [certificateId(new Uint8Array(21).fill(0x40))] },
    { ids: [certificateId(serial, sha512)] },
    { ids: [id], extensions: critical },
    { ids: [id], single: critical },
  ])
    t.is(code(ocspRequest(parts)), 'ocsp-request-malformed')
  t.is(code(ocspRequest({ ids: many(32) })), undefined)
  t.is(code(Uint8Array.of(...ocspRequest({ ids: [id] }), 0)), 'ocsp-request-malformed')
})

const responder = await createResponder()

async function answer(statuses: readonly OcspStatus[], nonce?: Uint8Array): Promise<Uint8Array> {
  return await createOcspAnswer(
    {
      responderKey: responder.spki,
      responderCertificate: responder.certificate,
      thisUpdate: now,
      nextUpdate: now + day,
      nonce,
      answers: statuses.map(status => ({ id, status })),
    },
    responder.signer,
  )
}

test('an answer says of each certificate what is known, under a key that may answer', async t => {
  const bytes = await answer([
    { kind: 'good' },
    { kind: 'unknown' },
    { kind: 'revoked', revokedAt: now - day, reason: 'keyCompromise' },
    { kind: 'revoked', revokedAt: now - day, reason: 'unspecified' },
  ])
  const response = parseOcspResponse(bytes)
  t.deepEqual(
    response.responses.map(({ status, reason }) => [status, reason]),
    [
      ['good', 0],
      ['unknown', 0],
      ['revoked', 1],
      ['revoked', 0],
    ],
  )
  t.is(response.responses[0]?.thisUpdate, now)
  t.is(response.responses[0]?.nextUpdate, now + day)
  t.true(isAnsweredFor(response, parseCertificate(issuer), now))
  t.false(isAnsweredFor(response, parseCertificate(issuer), now + 30 * day))
})

test('a nonce comes back as it was sent, and none where none was sent', async t => {
  const nonce = new Uint8Array(40).fill(9)
  t.true(Buffer.from(await answer([{ kind: 'good' }], nonce)).includes(Buffer.from(nonce)))
  t.true(
    (await answer([{ kind: 'good' }])).length < (await answer([{ kind: 'good' }], nonce)).length,
  )
})

test('the responder is named by its key', async t => {
  const key = parseCertificate(responder.certificate).fields.keyBits
  const digest = createHash('sha1').update(key).digest()
  t.true(Buffer.from(await answer([{ kind: 'good' }])).includes(digest))
})

test('the certificate of a responder is good for answers alone, and nobody asks about it', t => {
  const { fields } = parseCertificate(responder.certificate)
  t.deepEqual(fields.extensions.extendedKeyUsage, ['1.3.6.1.5.5.7.3.9'])
  t.true(fields.rawExtensions.some(each => each.id === '1.3.6.1.5.5.7.48.1.5'))
  t.true(new X509Certificate(responder.certificate).verify(new X509Certificate(issuer).publicKey))
  t.is(fields.notAfter, now + 7 * day - 61_000)
})

test('a refusal says why and nothing else', t => {
  t.is(Buffer.from(encodeOcspRefusal('malformedRequest')).toString('hex'), '30030a0101')
  t.is(Buffer.from(encodeOcspRefusal('tryLater')).toString('hex'), '30030a0103')
  t.is(Buffer.from(encodeOcspRefusal('unauthorized')).toString('hex'), '30030a0106')
})
