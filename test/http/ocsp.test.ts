import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { shardOf } from '../../src/core/revocation/location.ts'
import { parseCertificate } from '../../src/core/x509/certificate.ts'
import { parseCertificateList } from '../../src/core/x509/crl.ts'
import { parseOcspResponse } from '../../src/core/x509/ocsp.ts'
import { encodeOcspQuestion } from '../../src/core/x509/ocsp-question.ts'
import { parseOcspRequest } from '../../src/core/x509/ocsp-request.ts'
import { createResponderKey } from '../../src/hsm/responder-key.ts'
import { refreshCertificateLists } from '../../src/services/certificate-lists.ts'
import { answerOcsp } from '../../src/services/ocsp.ts'
import { OcspResponders } from '../../src/services/ocsp-responders.ts'
import { pem } from '../../src/services/view.ts'
import { certificateId, nonceOf, ocspRequest } from '../core/revocation/fixtures.ts'
import type { TestAnswer } from '../support/test-api.ts'
import { call } from '../support/test-caller.ts'
import { begin, derOf, fetchList, openssl, revokeLeaf, type Scene } from './certificate-fixtures.ts'

async function askOpenssl(
  t: ExecutionContext,
  { api, authorityId, chain }: Scene,
  ...args: readonly string[]
): Promise<string> {
  const [issuing = new Uint8Array(), root = new Uint8Array()] = chain
  const files = { 'issuing.pem': pem(issuing), 'root.pem': pem(root) }
  const url = `http://127.0.0.1:${api.port}/ocsp/${authorityId}`
  const trust = ['-issuer', 'issuing.pem', '-CAfile', 'root.pem']
  const { text } = await openssl(t, files, 'ocsp', ...trust, '-url', url, ...args)
  return text
}

test('openssl asks and is told good, revoked with reason, and unknown', async t => {
  const scene = await begin(t)
  const serial = `0x${scene.serial}`
  const good = await askOpenssl(t, scene, '-serial', serial)
  t.regex(good, /Response verify OK/)
  t.regex(good, new RegExp(`${serial}: good`))
  t.notRegex(good, /WARNING: no nonce/)
  await revokeLeaf(scene)
  const revoked = await askOpenssl(t, scene, '-serial', serial, '-serial', '0x4711')
  t.regex(revoked, /Response verify OK/)
  t.regex(revoked, new RegExp(`${serial}: revoked`))
  t.regex(revoked, /Reason: keyCompromise/)
  t.regex(revoked, /0x4711: unknown/)
})

test('an answer without nonce is the same bytes until the status changes, also by GET', async t => {
  const scene = await begin(t)
  const [issuer = new Uint8Array()] = scene.chain
  const question = encodeOcspQuestion(parseCertificate(derOf(scene.leaf)), parseCertificate(issuer))
  const base = `/ocsp/${scene.authorityId}`
  const post = async (body: Uint8Array): Promise<TestAnswer> =>
    await scene.api.send({
      method: 'POST',
      path: base,
      headers: [['Content-Type', 'application/ocsp-request']],
      body,
    })
  const encoded = Buffer.from(question).toString('base64')
  const asked = [
    await post(question),
    await scene.api.send({ method: 'GET', path: `${base}/${encodeURIComponent(encoded)}` }),
    await scene.api.send({ method: 'GET', path: `${base}/${encoded}` }),
  ]
  t.is(new Set(asked.map(({ bytes }) => Buffer.from(bytes).toString('hex'))).size, 1)
  for (const { type, headers, status } of asked) {
    t.is(status, 200)
    t.is(type, 'application/ocsp-response')
    t.is(headers['cache-control'], 'max-age=60, public, no-transform, must-revalidate')
  }
  await revokeLeaf(scene)
  const [single] = parseOcspResponse((await post(question)).bytes).responses
  t.is(single?.status, 'revoked')
  t.is(single?.reason, 1)
})

test('a request that is not answered is told why, unsigned, and nobody keeps that', async t => {
  const scene = await begin(t)
  const ask = async (body: Uint8Array, authority = scene.authorityId): Promise<TestAnswer> =>
    await scene.api.send({
      method: 'POST',
      path: `/ocsp/${authority}`,
      headers: [['Content-Type', 'application/ocsp-request']],
      body,
    })
  const hex = async (answer: Promise<TestAnswer>): Promise<string> => {
    const { bytes, headers } = await answer
    t.is(headers['cache-control'], 'no-store')
    return Buffer.from(bytes).toString('hex')
  }
  t.is(await hex(ask(randomBytes(40))), '30030a0101')
  const foreign = ocspRequest({ ids: [certificateId(Uint8Array.of(0x41))] })
  t.is(await hex(ask(foreign)), '30030a0106')
  t.is(await hex(ask(foreign, 'ab'.repeat(32))), '30030a0106')
  const [issuer = new Uint8Array()] = scene.chain
  const leaf = parseCertificate(derOf(scene.leaf))
  const question = encodeOcspQuestion(leaf, parseCertificate(issuer))
  scene.api.clock.advance(8 * 86_400_000)
  t.is(await hex(ask(question)), '30030a0103')
  const path = `/ocsp/${scene.authorityId}/%ZZ`
  t.is(await hex(scene.api.send({ method: 'GET', path })), '30030a0101')
  const typed = [['Content-Type', 'text/plain']] as const
  const body = question
  const wrong = { method: 'POST', path: `/ocsp/${scene.authorityId}`, headers: typed, body }
  t.is((await scene.api.send(wrong)).status, 415)
  t.is((await ask(randomBytes(20_000))).status, 413)
})

test('what a crash left open is unknown to the responder, and can be revoked', async t => {
  const scene = await begin(t)
  const { api, operator, authorityId } = scene
  const record = await api.service.store.certificateStatus.findCertificate(scene.serial)
  if (record === undefined) throw new TypeError('a certificate on record')
  const serial = '4711aa'
  const intended = { ...record, serial, status: 'intended', x5t: null } as const
  const entry = {
    type: 'certificate.intended',
    time: 1,
    actor: 'service',
    subject: serial,
    detail: {},
  }
  await api.service.store.certificates.intend(intended, entry)
  const asked = await askOpenssl(t, scene, '-serial', `0x${serial}`)
  t.regex(asked, /unknown/)
  await api.service.store.certificates.closeOrphans({
    type: 'certificate.unknown',
    time: 1,
    actor: 'service',
  })
  const { json } = await call(api, operator, 'GET', `/v1/certificates/${serial}`)
  t.like(json, { status: 'unknown', authorityId, isExpired: false, assurance: 'emulated' })
  const body = { reason: 'may have been signed' }
  await call(api, operator, 'POST', `/v1/certificates/${serial}/revoke`, body)
  await refreshCertificateLists(api.service)
  t.true(parseCertificateList((await fetchList(scene, shardOf(serial))).bytes).revoked.has(serial))
  t.regex(await askOpenssl(t, scene, '-serial', `0x${serial}`), /revoked/)
})

/** A question about the host's certificate without nonce, and the DER CertID in it. */
function questionOf({ leaf, chain }: Scene): { question: Uint8Array; id: Uint8Array } {
  const [issuer = new Uint8Array()] = chain
  const question = encodeOcspQuestion(parseCertificate(derOf(leaf)), parseCertificate(issuer))
  const [first] = parseOcspRequest(question).questions
  return { question, id: first?.encoded ?? new Uint8Array() }
}

async function postOcsp(
  { api, authorityId }: Scene,
  body: Uint8Array,
  headers: readonly (readonly [string, string])[] = [],
): Promise<TestAnswer> {
  return await api.send({
    method: 'POST',
    path: `/ocsp/${authorityId}`,
    headers: [['Content-Type', 'application/ocsp-request'], ...headers],
    body,
  })
}

/** Counts what the responder signs from now on. */
function countSignatures({ api, authorityId }: Scene): { count: number } {
  const responder = api.service.ocsp.find(authorityId, api.clock.now())
  if (responder === undefined) throw new TypeError('a responder is certified')
  const signer = responder.signer as { sign: typeof responder.signer.sign }
  const sign = signer.sign.bind(signer)
  const signatures = { count: 0 }
  signer.sign = async bytes => {
    signatures.count += 1
    return await sign(bytes)
  }
  return signatures
}

test('a nonce of 1 to 128 octets comes back in an answer that nobody keeps', async t => {
  const scene = await begin(t)
  const { id } = questionOf(scene)
  const ask = async (length: number): Promise<[Uint8Array, TestAnswer]> => {
    const nonce = randomBytes(length)
    return [nonce, await postOcsp(scene, ocspRequest({ ids: [id], extensions: nonceOf(nonce) }))]
  }
  for (const length of [1, 16, 32, 128]) {
    const [nonce, { bytes, headers }] = await ask(length)
    t.is(parseOcspResponse(bytes).responses[0]?.status, 'good')
    t.true(Buffer.from(bytes).includes(Buffer.from(nonce)))
    t.is(headers['cache-control'], 'no-store')
    t.is(headers.etag, undefined)
  }
  t.is(scene.api.service.ocsp.answers.size, 0)
  for (const length of [0, 129])
    t.is(Buffer.from((await ask(length))[1].bytes).toString('hex'), '30030a0101')
})

test('an answer that costs a signature each time is counted by address, one that is kept is not', async t => {
  const scene = await begin(t, { ocspSignaturesPerMinute: 3 })
  const { question, id } = questionOf(scene)
  const signatures = countSignatures(scene)
  const withNonce = (): Uint8Array =>
    ocspRequest({ ids: [id], extensions: nonceOf(randomBytes(32)) })
  // Its last octet is that of the serial number.
  const other = Uint8Array.from(id, (octet, index) => (index === id.length - 1 ? octet ^ 1 : octet))
  const unknown = ocspRequest({ ids: [other] })
  const costly = [withNonce(), ocspRequest({ ids: [id, id] }), unknown]
  for (const body of costly) t.is((await postOcsp(scene, body)).status, 200)
  for (const body of costly) {
    const refused = await postOcsp(scene, body)
    t.is(refused.status, 429)
    t.is(refused.json['code'], 'too-many-requests')
    t.is(refused.headers['retry-after'], '20')
  }
  t.is(signatures.count, 3)
  for (let count = 0; count < 20; count += 1) t.is((await postOcsp(scene, question)).status, 200)
  t.is(signatures.count, 4)
  scene.api.clock.advance(20_000)
  t.is((await postOcsp(scene, withNonce())).status, 200)
})

test('of a hundred who ask at once each gets the same answer, signed once', async t => {
  const scene = await begin(t)
  const { question } = questionOf(scene)
  const signatures = countSignatures(scene)
  const answers = await Promise.all(Array.from({ length: 100 }, () => postOcsp(scene, question)))
  const distinct = new Set(answers.map(({ bytes }) => Buffer.from(bytes).toString('hex')))
  t.is(distinct.size, 1)
  t.is(signatures.count, 1)
})

test('what one process revoked, another does not call good any more', async t => {
  const scene = await begin(t)
  const { api, authorityId } = scene
  const other = { ...api.service, ocsp: new OcspResponders(createResponderKey) }
  await other.ocsp.refresh(other)
  const { question } = questionOf(scene)
  const ask = async (): Promise<[string | undefined, boolean]> => {
    const reply = await answerOcsp(other, authorityId, question, () => t.fail())
    return [parseOcspResponse(reply.bytes).responses[0]?.status, reply.kept !== undefined]
  }
  t.deepEqual(await ask(), ['good', true])
  await revokeLeaf(scene)
  t.deepEqual(await ask(), ['revoked', true])
  t.is(other.ocsp.answers.size, 1)
})

test('an answer that is kept is fetched again only where it has changed', async t => {
  const scene = await begin(t)
  const { question } = questionOf(scene)
  const path = `/ocsp/${scene.authorityId}/${Buffer.from(question).toString('base64')}`
  const first = await scene.api.send({ method: 'GET', path })
  const { etag = '', expires = '', 'last-modified': since = '' } = first.headers
  t.regex(etag, /^"[0-9a-f]{64}"$/)
  const [single] = parseOcspResponse(first.bytes).responses
  t.is(single?.nextUpdate, Date.parse(expires))
  t.is(single?.thisUpdate, Date.parse(since))
  const headers = [['If-None-Match', etag]] as const
  const again = async (): Promise<number> =>
    (await scene.api.send({ method: 'GET', path, headers })).status
  t.is(await again(), 304)
  t.is((await postOcsp(scene, question, headers)).status, 200)
  scene.api.clock.advance(151_000)
  t.is(await again(), 200)
  await revokeLeaf(scene)
  t.is(await again(), 200)
})

test('near the end of its responder an answer promises no more than that', async t => {
  const scene = await begin(t)
  const { api, authorityId } = scene
  const end = api.service.ocsp.find(authorityId, api.clock.now())?.notAfter ?? 0
  api.clock.advance(end - api.clock.now() - 100_000)
  const [single] = parseOcspResponse(
    (await postOcsp(scene, questionOf(scene).question)).bytes,
  ).responses
  t.is(single?.nextUpdate, end)
})

test('openssl makes a request without nonce, and believes what comes back for it by GET', async t => {
  const scene = await begin(t)
  const [issuing = new Uint8Array(), root = new Uint8Array()] = scene.chain
  const files = { 'issuing.pem': pem(issuing), 'root.pem': pem(root) }
  const about = ['-issuer', 'issuing.pem', '-serial', `0x${scene.serial}`, '-no_nonce']
  const made = await openssl(t, files, 'ocsp', ...about, '-reqout', 'request.der')
  const request = readFileSync(join(made.folder, 'request.der')).toString('base64')
  const path = `/ocsp/${scene.authorityId}/${encodeURIComponent(request)}`
  const { bytes } = await scene.api.send({ method: 'GET', path })
  const trust = ['-CAfile', 'root.pem', '-verify_other', 'issuing.pem']
  const read = ['-respin', 'answer.der', ...about, ...trust]
  const judged = await openssl(t, { ...files, 'answer.der': bytes }, 'ocsp', ...read)
  t.regex(judged.text, /Response verify OK/)
  t.regex(judged.text, new RegExp(`0x${scene.serial}: good`))
})
