import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { pem } from '../../src/services/view.ts'
import { createCeremonyStage, exampleOf, type CeremonyStage } from '../cli/ceremony-stage.ts'
import {
  begin,
  fetchList,
  listPem,
  openssl,
  revokeLeaf,
  type Scene,
} from './certificate-fixtures.ts'

/** A ceremony's room with the root of a running service, whose key came out of its safe. */
async function enterRoom(t: ExecutionContext, { api, chain }: Scene): Promise<CeremonyStage> {
  const stage = await createCeremonyStage(t)
  const [issuing = new Uint8Array(), root = new Uint8Array()] = chain
  writeFileSync(stage.path('issuing.pem'), pem(issuing))
  writeFileSync(stage.path('root.pem'), pem(root))
  writeFileSync(stage.path('root.key.pem'), api.keyFiles.read('root.key.pem'), { mode: 0o600 })
  return stage
}

/** The whole path is held against lists, by name: the leaf against the service's, the authority against the root's. */
async function verifyChain(
  t: ExecutionContext,
  scene: Scene,
  stage: CeremonyStage,
  ...lists: readonly ('service.crl' | 'root.crl')[]
): Promise<{ code: number; text: string }> {
  const { folder } = stage
  writeFileSync(join(folder, 'service.crl'), listPem((await fetchList(scene)).bytes))
  const trust = ['-CAfile', join(folder, 'root.pem'), '-untrusted', join(folder, 'issuing.pem')]
  const shown = lists.flatMap(list => ['-CRLfile', join(folder, list)])
  const how = ['-x509_strict', '-crl_check_all', '-extended_crl']
  const files = { 'leaf.pem': scene.leaf }
  return await openssl(t, files, 'verify', ...how, ...trust, ...shown, 'leaf.pem')
}

test('a certificate holds by the lists of service and root together, and by neither alone', async t => {
  const scene = await begin(t)
  const stage = await enterRoom(t, scene)
  await stage.hold('crl', { revoked: [] })
  const both = await verifyChain(t, scene, stage, 'service.crl', 'root.crl')
  t.regex(both.text, /leaf\.pem: OK/)
  const lookup = 'depth lookup: unable to get certificate CRL'
  for (const [list, missing] of [
    ['service.crl', 1],
    ['root.crl', 0],
  ] as const) {
    const alone = await verifyChain(t, scene, stage, list)
    t.not(alone.code, 0, list)
    t.true(alone.text.includes(`error 3 at ${missing} ${lookup}`), alone.text)
  }
})

test('everything falls with an authority that is on the root’s list', async t => {
  const scene = await begin(t)
  const stage = await enterRoom(t, scene)
  await stage.hold('crl')
  const outcome = await verifyChain(t, scene, stage, 'service.crl', 'root.crl')
  t.not(outcome.code, 0)
  t.regex(outcome.text, /error 23 at 1 depth lookup: certificate revoked/)
})

test('a certificate on the service’s list falls, whatever the root’s list says', async t => {
  const scene = await begin(t)
  const stage = await enterRoom(t, scene)
  await stage.hold('crl', { revoked: [] })
  await revokeLeaf(scene)
  const outcome = await verifyChain(t, scene, stage, 'service.crl', 'root.crl')
  t.regex(outcome.text, /error 23 at 0 depth lookup: certificate revoked/)
  const second = { number: 2, previous: 'root.crl', list: 'root-2.crl' }
  t.is((await stage.run(exampleOf('crl', second))).status, 0)
})
