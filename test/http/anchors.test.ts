import test, { type ExecutionContext } from 'ava'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import {
  createEmulatedManufacturer,
  type EmulatedManufacturer,
} from '../../swtpm/emulated/manufacturer.ts'
import { proposeAnchors } from '../../src/services/anchors.ts'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, type TestCaller } from '../support/test-caller.ts'
import { enrollmentBody, postJson } from '../support/test-host.ts'

interface Scene {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly manufacturer: EmulatedManufacturer
}

async function begin(t: ExecutionContext): Promise<Scene> {
  const api = await startTestApi(t)
  const manufacturer = createEmulatedManufacturer(api.clock.now())
  return { api, operator: await createOperator(api), manufacturer }
}

function proposal(certificate: Uint8Array, source = 'Maker/RootCA/a.cer'): Record<string, unknown> {
  const labels = { name: 'maker', vendor: 'id:00001014', assurance: 'emulated' }
  return { ...labels, source, certificate: encodeBase64url(certificate) }
}

async function propose(scene: Scene, rows: readonly object[]): Promise<TestAnswer> {
  const { api, operator } = scene
  return await call(api, operator, 'POST', '/v1/anchors/import', { certificates: rows })
}

async function post(scene: Scene, path: string, body: object): Promise<TestAnswer> {
  return await call(scene.api, scene.operator, 'POST', path, body)
}

/** The code with which a TPM is refused a challenge, or its status. */
async function enrol({ api, manufacturer }: Scene, withChain = true): Promise<string> {
  const body = enrollmentBody(new EmulatedTpm({ manufacturer }))
  const key = body['endorsementKey'] as Record<string, unknown>
  if (!withChain) key['chain'] = []
  const answer = await postJson(api, '/v1/enrollments', body)
  return typeof answer.json['code'] === 'string' ? answer.json['code'] : String(answer.status)
}

test('a collection is proposed, compared, approved: only then does a TPM below it get a challenge', async t => {
  const scene = await begin(t)
  const { root, issuer } = scene.manufacturer
  const taken = await propose(scene, [
    proposal(root.certificate),
    proposal(issuer.certificate, 'Maker/IntermediateCA/b.cer'),
    proposal(new Uint8Array([1, 2, 3]), 'Maker/RootCA/spoiled.cer'),
  ])
  t.is(taken.status, 200, taken.text)
  const rows = taken.json['certificates'] as Record<string, string>[]
  t.deepEqual(
    rows.map(row => row['outcome']),
    ['proposed', 'proposed', 'refused'],
  )
  t.is(rows[2]?.['code'], 'anchor-malformed')
  t.is(await enrol(scene), 'path-issuer')

  const diff = await call(scene.api, scene.operator, 'GET', '/v1/anchors/diff?to=proposed')
  t.is(diff.status, 200, diff.text)
  t.is((diff.json['added'] as unknown[]).length, 2)
  const fingerprints = rows.flatMap(row => row['fingerprint'] ?? [])
  const approved = await post(scene, '/v1/anchors/approve', { fingerprints })
  t.is(approved.json['version'], 1)
  t.is(await enrol(scene), '201')
  // The approved intermediate is a hint of the service's own.
  t.is(await enrol(scene, false), '201')
  const again = await propose(scene, [proposal(root.certificate)])
  t.is((again.json['certificates'] as Record<string, string>[])[0]?.['outcome'], 'known')

  const log = await verifyTestLog(scene.api.service)
  const types = log.map(line => line.type).filter(type => type.startsWith('anchor.'))
  t.deepEqual(types, ['anchor.proposed', 'anchor.approved', 'anchor.proposed'])
})

test('a retired anchor lets nobody in; the versions of the set can be compared', async t => {
  const scene = await begin(t)
  const added = await post(scene, '/v1/anchors', proposal(scene.manufacturer.root.certificate))
  t.is(added.status, 201, added.text)
  t.is(added.json['sinceVersion'], 1)
  t.is(await enrol(scene), '201')
  const path = `/v1/anchors/${String(added.json['fingerprint'])}/retire`
  // Nothing falls with it, so there is nothing to try: a call that believes otherwise must not retire.
  const tried = await post(scene, path, { reason: 'x', dryRun: true })
  t.like(tried, { status: 400, json: { code: 'request-malformed' } })
  t.is(await enrol(scene), '201')
  const retired = await post(scene, path, { reason: 'key ceremony failed its audit' })
  t.is(retired.json['version'], 2)
  t.is(await enrol(scene), 'path-issuer')
  const diff = await call(scene.api, scene.operator, 'GET', '/v1/anchors/diff?from=1&to=2')
  t.is((diff.json['removed'] as unknown[]).length, 1)
  t.is((await post(scene, path, { reason: 'again' })).json['code'], 'anchor-retired')
})

const refusals: readonly [string, string, object, number, string][] = [
  ['an unknown certificate', 'approve', { fingerprints: ['ab'.repeat(32)] }, 404, 'anchor-unknown'],
  ['an empty approval', 'approve', { fingerprints: [] }, 400, 'request-malformed'],
  ['an empty import', 'import', { certificates: [] }, 400, 'request-malformed'],
  ['a retirement of nothing', `${'ab'.repeat(32)}/retire`, { reason: 'x' }, 404, 'anchor-unknown'],
  ['a path that is no fingerprint', 'x/retire', { reason: 'x' }, 404, 'not-found'],
]

for (const [what, path, body, status, code] of refusals) {
  test(`refuses ${what} with ${code}`, async t => {
    const answer = await post(await begin(t), `/v1/anchors/${path}`, body)
    t.is(answer.json['code'], code, answer.text)
    t.is(answer.status, status)
  })
}

test('an intermediate is not admitted by hand, and an approved anchor not twice', async t => {
  const scene = await begin(t)
  const { root, issuer } = scene.manufacturer
  const refused = await post(scene, '/v1/anchors', proposal(issuer.certificate))
  t.is(refused.json['code'], 'anchor-not-self-signed')
  const added = await post(scene, '/v1/anchors', proposal(root.certificate))
  const fingerprints = [added.json['fingerprint']]
  const twice = await post(scene, '/v1/anchors/approve', { fingerprints })
  t.is(twice.json['code'], 'anchor-active')
  t.is((await post(scene, '/v1/anchors', proposal(root.certificate))).json['code'], 'anchor-exists')
  const wrong = await call(scene.api, scene.operator, 'GET', '/v1/anchors/diff?to=soon')
  t.is(wrong.json['code'], 'request-malformed')
})

test('who may only look may compare, and not approve', async t => {
  const { api } = await begin(t)
  const auditor = await createOperator(api, 'auditor')
  t.is((await call(api, auditor, 'GET', '/v1/anchors/diff?to=proposed')).status, 200)
  const answer = await call(api, auditor, 'POST', '/v1/anchors/approve', {
    fingerprints: ['ab'.repeat(32)],
  })
  t.is(answer.json['code'], 'token-scope')
})

test('a whole collection is approved at once, and the log names every certificate of it', async t => {
  const scene = await begin(t)
  const now = scene.api.clock.now()
  const proposals = Array.from({ length: 1_100 }, (_, index) => {
    const { root, vendor } = createEmulatedManufacturer(now)
    const labels = { name: `maker-${index}`, vendor, assurance: 'emulated', source: 's' } as const
    return { ...labels, certificate: root.certificate }
  })
  const outcomes = await proposeAnchors(scene.api.service, 'somebody', proposals)
  const fingerprints = outcomes.flatMap(({ fingerprint }) => fingerprint ?? [])
  const answer = await post(scene, '/v1/anchors/approve', { fingerprints })
  t.is(answer.status, 200, answer.text.slice(0, 500))
  t.is(answer.json['version'], 1)
  t.is((await scene.api.service.store.anchors.listActive()).length, fingerprints.length)
  const entries = await verifyTestLog(scene.api.service)
  const approvals = entries.filter(({ type }) => type === 'anchor.approved')
  t.deepEqual(
    approvals.flatMap(({ detail }) => detail['fingerprints']),
    fingerprints,
  )
})
