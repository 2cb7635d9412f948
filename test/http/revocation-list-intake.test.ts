import test from 'ava'
import * as der from '../../src/core/der/writer.ts'
import { parseCertificate } from '../../src/core/x509/certificate.ts'
import { createEmulatedManufacturer } from '../../swtpm/emulated/manufacturer.ts'
import { verifyTestLog } from '../support/test-api.ts'
import { call, createOperator } from '../support/test-caller.ts'
import { add, begin, kept, published, type Scene } from './revocation-list-stage.ts'

test('a list of an authority in force is kept, shown without its bytes, and logged', async t => {
  const scene = await begin(t)
  const list = published(scene, { number: 7, revoked: [scene.manufacturer.issuer.certificate] })
  const added = await add(scene, list)
  t.is(added.status, 201, added.text)
  const expected = {
    kind: 'crl',
    issuer: `Emulated TPMs issuer ${scene.manufacturer.vendor}`,
    issuerFingerprint: parseCertificate(scene.manufacturer.issuer.certificate).fingerprint,
    scope: 'all',
    number: '7',
    revoked: 1,
    isStale: false,
    source: 'http://ek.example/a.crl',
  }
  t.like(added.json, expected)
  const [row] = await kept(scene)
  t.like(row, expected)
  t.false('bytes' in (row ?? {}))
  const log = await verifyTestLog(scene.api.service)
  t.like(log.at(-1), { type: 'revocation-list.added', subject: added.json['id'] })
})

test('the newest list of an issuer is kept; an older one is refused, the same one is the same', async t => {
  const scene = await begin(t)
  const list = published(scene, { number: 300 })
  const first = await add(scene, list)
  scene.api.clock.advance(1_000)
  t.deepEqual((await add(scene, list)).json, first.json)
  const older = await add(scene, published(scene, { number: 299 }))
  t.is(older.status, 409)
  t.is(older.json['code'], 'revocation-list-older')
  t.is((await kept(scene)).length, 1)
  const log = await verifyTestLog(scene.api.service)
  t.is(log.filter(({ type }) => type === 'revocation-list.added').length, 1)
})

const stranger = createEmulatedManufacturer(Date.now(), 'id:53544D20')

const refusals: readonly (readonly [string, (scene: Scene) => Uint8Array, string])[] = [
  [
    'of an authority that nobody admitted',
    scene => published(scene, {}, stranger.issuer),
    'revocation-list-issuer',
  ],
  [
    'that another key signed',
    scene => published(scene, { signer: stranger.issuer }),
    'revocation-list-issuer',
  ],
  ['from the future', scene => published(scene, { ageMs: -60_000 }), 'revocation-list-future'],
  ['that is cut', scene => published(scene).subarray(0, -1), 'revocation-list-malformed'],
  [
    'with more behind it',
    scene => Buffer.concat([published(scene), Buffer.of(0)]),
    'revocation-list-malformed',
  ],
  [
    'that is a certificate',
    scene => scene.manufacturer.root.certificate,
    'revocation-list-malformed',
  ],
  ['of one byte', () => Uint8Array.of(0x30), 'revocation-list-malformed'],
  [
    'of a responder that says nothing',
    () => der.sequence(der.tlv(0x0a, Uint8Array.of(1))),
    'revocation-list-malformed',
  ],
]

for (const [what, list, code] of refusals) {
  test(`refuses a list ${what} with ${code}`, async t => {
    const scene = await begin(t)
    const answer = await add(scene, list(scene))
    t.is(answer.json['code'], code, answer.text)
    t.is(answer.status, 400)
    t.deepEqual(await kept(scene), [])
  })
}

test('a list of a retired authority is not taken in', async t => {
  const scene = await begin(t)
  const { api, operator, manufacturer } = scene
  const { fingerprint } = parseCertificate(manufacturer.issuer.certificate)
  await call(api, operator, 'POST', `/v1/anchors/${fingerprint}/retire`, { reason: 'test' })
  t.is((await add(scene, published(scene))).json['code'], 'revocation-list-issuer')
})

test('a list larger than any that is kept is refused before it is read', async t => {
  const answer = await add(await begin(t), new Uint8Array(1024 * 1024 + 1024))
  t.is(answer.json['code'], 'body-too-large')
  t.is(answer.status, 413)
})

test('who may only look sees the lists, and brings none', async t => {
  const scene = await begin(t)
  const auditor = { ...scene, operator: await createOperator(scene.api, 'auditor') }
  t.deepEqual(await kept(auditor), [])
  t.is((await add(auditor, published(scene))).json['code'], 'token-scope')
})
