import { createHash } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { shardOf } from '../../src/core/revocation/location.ts'
import { parseCertificateList } from '../../src/core/x509/crl.ts'
import { refreshCertificateLists } from '../../src/services/certificate-lists.ts'
import { pem } from '../../src/services/view.ts'
import { verifyTestLog } from '../support/test-api.ts'
import { call } from '../support/test-caller.ts'
import { createAgent } from '../support/test-host.ts'
import {
  begin,
  fetchList,
  listPem,
  openssl,
  revokeLeaf,
  serialOf,
  type Scene,
} from './certificate-fixtures.ts'

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

test('of two builders beside a hundred revocations none takes anything off a list, and numbers rise', async t => {
  const { api, operator, host, authorityId } = await begin(t)
  const form = { name: 'many', audiences: ['https://api.example/'], scopes: [], hosts: ['*'] }
  await call(api, operator, 'POST', '/v1/classes', form)
  const serials: string[] = []
  for (let count = 0; count < 25; count += 1) {
    const { json } = (await createAgent(api, host, 'many')).issued
    serials.push(serialOf((json['certificateChain'] as string[])[0] ?? ''))
  }
  const work = { isOver: false }
  const build = async (): Promise<void> => {
    while (!work.isOver) await refreshCertificateLists(api.service)
  }
  const builders = [build(), build()]
  const revocations = Array.from({ length: 100 }, async (_, index) => {
    const path = `/v1/certificates/${serials[index % 25] ?? ''}/revoke`
    return await call(api, operator, 'POST', path, { reason: 'race' })
  })
  for (const { status } of await Promise.all(revocations)) t.is(status, 200)
  work.isOver = true
  await Promise.all(builders)
  await refreshCertificateLists(api.service)
  const lines = await verifyTestLog(api.service)
  t.is(lines.filter(({ type }) => type === 'certificate.revoked').length, 25)
  const published = Map.groupBy(
    lines.filter(({ type }) => type === 'crl.published'),
    ({ subject }) => subject,
  )
  t.is(published.size, 16)
  for (const list of published.values()) {
    const numbers = list.map(({ detail }) => Number(detail['number']))
    t.deepEqual(
      numbers,
      [...new Set(numbers)].toSorted((a, b) => a - b),
    )
    const counts = list.map(({ detail }) => Number(detail['revoked']))
    t.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
    )
  }
  for (const serial of serials) {
    const path = `/crl/${authorityId}/${shardOf(serial)}`
    const { bytes } = await api.send({ method: 'GET', path })
    t.true(parseCertificateList(bytes).revoked.has(serial))
  }
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
