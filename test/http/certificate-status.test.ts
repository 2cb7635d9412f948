import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { shardOf } from '../../src/core/revocation/location.ts'
import { parseCertificate } from '../../src/core/x509/certificate.ts'
import { parseCertificateList } from '../../src/core/x509/crl.ts'
import { parseOcspResponse } from '../../src/core/x509/ocsp.ts'
import { encodeOcspQuestion } from '../../src/core/x509/ocsp-question.ts'
import { refreshCertificateLists } from '../../src/services/certificate-lists.ts'
import { pem } from '../../src/services/view.ts'
import { certificateId, ocspRequest } from '../core/revocation/fixtures.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, type TestCaller } from '../support/test-caller.ts'
import { admitManufacturer, enrollHost } from '../support/test-host.ts'

const run = promisify(execFile)

interface Scene {
  readonly api: TestApi
  readonly operator: TestCaller
  /** PEM of a host's certificate, and its serial number. */
  readonly leaf: string
  readonly serial: string
  readonly authorityId: string
  readonly chain: readonly Uint8Array[]
}

async function begin(t: ExecutionContext): Promise<Scene> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const [leaf = ''] = host.enrolled.json['certificateChain'] as string[]
  const { id, chain } = api.service.authorities.active()
  await refreshCertificateLists(api.service)
  await api.service.ocsp.refresh(api.service)
  return { api, operator, leaf, serial: serialOf(leaf), authorityId: id, chain }
}

function derOf(leaf: string): Uint8Array {
  return Buffer.from(leaf.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
}

function serialOf(leaf: string): string {
  return Buffer.from(parseCertificate(derOf(leaf)).fields.serialNumber).toString('hex')
}

async function revokeLeaf({ api, operator, serial }: Scene): Promise<TestAnswer> {
  const body = { reason: 'key was seen elsewhere', reasonCode: 'keyCompromise' }
  const answer = await call(api, operator, 'POST', `/v1/certificates/${serial}/revoke`, body)
  await refreshCertificateLists(api.service)
  return answer
}

async function fetchList(scene: Scene, shard = shardOf(scene.serial)): Promise<TestAnswer> {
  const path = `/crl/${scene.authorityId}/${shard}`
  return await scene.api.send({ method: 'GET', path })
}

const listPem = (bytes: Uint8Array): string =>
  pem(bytes).replaceAll('CERTIFICATE-----', 'X509 CRL-----')

/** Runs openssl over files; gives what it printed and its exit code. */
async function openssl(
  t: ExecutionContext,
  files: Readonly<Record<string, string | Uint8Array>>,
  ...args: readonly string[]
): Promise<{ code: number; text: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-status-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  try {
    const { stdout, stderr } = await run('openssl', args, { cwd: folder })
    return { code: 0, text: stdout + stderr }
  } catch (cause) {
    const { code, stdout, stderr } = cause as { code: number; stdout: string; stderr: string }
    return { code, text: stdout + stderr }
  }
}

async function verifyLeaf(
  t: ExecutionContext,
  { leaf, chain }: Scene,
  list: Uint8Array,
): Promise<{ code: number; text: string }> {
  const [issuing = new Uint8Array(), root = new Uint8Array()] = chain
  const files = {
    'leaf.pem': leaf,
    'issuing.pem': pem(issuing),
    'root.pem': pem(root),
    'list.pem': listPem(list),
  }
  const trust = ['-CAfile', 'root.pem', '-untrusted', 'issuing.pem']
  const crl = ['-crl_check', '-extended_crl', '-CRLfile', 'list.pem']
  return await openssl(t, files, 'verify', ...trust, ...crl, 'leaf.pem')
}

test('openssl accepts a certificate by its list, and refuses it once it is revoked', async t => {
  const scene = await begin(t)
  const before = await fetchList(scene)
  t.is(before.type, 'application/pkix-crl')
  t.regex((await verifyLeaf(t, scene, before.bytes)).text, /leaf\.pem: OK/)
  t.is((await revokeLeaf(scene)).status, 200)
  const after = await fetchList(scene)
  const outcome = await verifyLeaf(t, scene, after.bytes)
  t.not(outcome.code, 0)
  t.regex(outcome.text, /certificate revoked/)
  const [first, second] = [before, after].map(list => parseCertificateList(list.bytes).number)
  t.true(first !== undefined && second !== undefined && second > first)
})

test('openssl takes the list of another part for no word at all', async t => {
  const scene = await begin(t)
  const other = await fetchList(scene, (shardOf(scene.serial) + 1) % 16)
  const outcome = await verifyLeaf(t, scene, other.bytes)
  t.not(outcome.code, 0)
  t.regex(outcome.text, /unable to get certificate CRL|different CRL scope/i)
})

test('a list is fetched again only where it has changed', async t => {
  const scene = await begin(t)
  const path = `/crl/${scene.authorityId}/${shardOf(scene.serial)}`
  const { headers } = await scene.api.send({ method: 'GET', path })
  const conditional = [['If-None-Match', headers.etag ?? '']] as const
  const again = await scene.api.send({ method: 'GET', path, headers: conditional })
  t.is(again.status, 304)
  t.regex(headers['cache-control'] ?? '', /^public, max-age=15$/)
  await revokeLeaf(scene)
  t.is((await scene.api.send({ method: 'GET', path, headers: conditional })).status, 200)
})

test('only the list that has to change is made anew, and the log names it', async t => {
  const scene = await begin(t)
  await revokeLeaf(scene)
  t.deepEqual(await refreshCertificateLists(scene.api.service), [])
  const published = (await verifyTestLog(scene.api.service)).filter(
    ({ type }) => type === 'crl.published',
  )
  t.is(published.length, 17)
  t.like(published.at(-1), { detail: { number: 2, revoked: 1 } })
})

test('a certificate whose time is over is on one more list and on no other', async t => {
  const scene = await begin(t)
  await revokeLeaf(scene)
  const count = async (): Promise<number> => {
    await refreshCertificateLists(scene.api.service)
    return parseCertificateList((await fetchList(scene)).bytes).revoked.size
  }
  t.is(await count(), 1)
  scene.api.clock.advance(4 * 3_600_000)
  t.is(await count(), 1)
  scene.api.clock.advance(4 * 3_600_000)
  t.is(await count(), 0)
})

test('while the signer is down the last list is served, and later the next one comes', async t => {
  const scene = await begin(t)
  const authority = scene.api.service.authorities.active()
  const broken = authority.signer as { sign: unknown }
  const sign = broken.sign
  broken.sign = () => {
    throw new Error('CKR_DEVICE_REMOVED')
  }
  const before = await fetchList(scene)
  await t.throwsAsync(revokeLeaf(scene), { instanceOf: AggregateError })
  t.deepEqual((await fetchList(scene)).bytes, before.bytes)
  broken.sign = sign
  await refreshCertificateLists(scene.api.service)
  const list = parseCertificateList((await fetchList(scene)).bytes)
  t.true(list.revoked.has(scene.serial))
})

test('there is no list of what is no authority or no part, and no certificate of it', async t => {
  const scene = await begin(t)
  const status = async (path: string): Promise<number> =>
    (await scene.api.send({ method: 'GET', path })).status
  const none = 'ab'.repeat(32)
  t.is(await status(`/crl/${none}/3`), 404)
  t.is(await status(`/crl/${scene.authorityId}/16`), 404)
  t.is(await status(`/crl/${scene.authorityId}/03`), 404)
  t.is(await status('/crl/x/3'), 404)
  t.is(await status(`/authorities/${none}`), 404)
  const answer = await scene.api.send({ method: 'GET', path: `/authorities/${scene.authorityId}` })
  t.is(answer.type, 'application/pkix-cert')
  t.is(createHash('sha256').update(answer.bytes).digest('hex'), scene.authorityId)
})

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

test('operators list certificates and lists, and make them anew', async t => {
  const { api, operator, serial } = await begin(t)
  const certificates = await call(api, operator, 'GET', '/v1/certificates')
  t.like(certificates.json, { certificates: [{ serial, status: 'issued' }] })
  const lists = await call(api, operator, 'GET', '/v1/certificate-lists')
  const [first] = lists.json['certificateLists'] as Record<string, unknown>[]
  t.like(first, { shard: 0, number: 1, revoked: 0 })
  t.regex(String(first?.['url']), /^https:\/\/assay\.example\/crl\/[0-9a-f]{64}\/0$/)
  const made = await call(api, operator, 'POST', '/v1/certificate-lists', {})
  t.is(made.status, 201)
  t.like((made.json['certificateLists'] as unknown[])[0], { number: 2 })
  t.is((await call(api, operator, 'GET', '/v1/certificates/40')).json['code'], 'serial-unknown')
  t.is((await call(api, operator, 'GET', '/v1/certificates/xyz')).status, 404)
})
