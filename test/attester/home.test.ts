import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { agentFiles, Home, hostFiles } from '../../src/attester/home.ts'
import { createAuthority } from './local-service.ts'

const [first, second] = await Promise.all([createAuthority(), createAuthority()])
const issuer = 'https://assay.example:8443'
const service = { issuer, root: first.root }

async function scratch(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'assay-home-'))
  t.teardown(async () => await rm(directory, { recursive: true, force: true }))
  return join(directory, 'home')
}

const agent = {
  id: 'a-1',
  spiffeId: 'spiffe://test.example/agent/coder/a-1',
  className: 'coder',
  ...agentFiles('a-1'),
}

test('a home is made for its owner alone, directories 0700 and files 0600', async t => {
  const home = await Home.open(await scratch(t))
  await home.saveService(service)
  await home.saveAgent(agent)
  await home.createText(agent.keyFile, 'key')
  for (const directory of ['', 'agents'])
    t.is((await stat(join(home.directory, directory))).mode & 0o777, 0o700)
  for (const file of ['service.json', 'root.pem', 'agents/a-1.json', 'agents/a-1.key.pem'])
    t.is((await stat(home.path(file))).mode & 0o777, 0o600, file)
})

test('a directory that others may read is refused, and taken once they may not', async t => {
  const path = await scratch(t)
  await mkdir(path, { mode: 0o755 })
  await chmod(path, 0o755)
  await t.throwsAsync(Home.open(path), { code: 'private-file-exposed' })
  await chmod(path, 0o700)
  await t.notThrowsAsync(Home.open(path))
})

test('what was saved is loaded again, by another process too', async t => {
  const path = await scratch(t)
  const home = await Home.open(path)
  const operator = { id: 'o-1', clientId: 'spiffe://test.example/operator/o-1', key: 'file:o.pem' }
  const host = { id: 'h-1', spiffeId: 'spiffe://test.example/host/h-1', name: 'web', ...hostFiles }
  await home.saveService({ ...service, logKey: 'log+00000000+AAAA' })
  await home.saveOperator(operator)
  await home.saveHost(host)
  await home.saveAgent(agent)
  const other = await Home.open(path)
  const known = await other.loadService()
  t.is(known.issuer, issuer)
  t.is(known.logKey, 'log+00000000+AAAA')
  t.deepEqual(Buffer.from(known.root), Buffer.from(first.root))
  t.deepEqual(await other.findOperator(), operator)
  t.deepEqual(await other.findHost(), host)
  t.deepEqual(await other.listAgents(), [agent])
  t.deepEqual(await other.findAgent('a-1'), agent)
})

test('an empty home says what to begin with, and has nobody in it', async t => {
  const home = await Home.open(await scratch(t))
  await t.throwsAsync(home.loadService(), { code: 'home-empty' })
  t.is(await home.findService(), undefined)
  t.is(await home.findOperator(), undefined)
  t.is(await home.findHost(), undefined)
  t.deepEqual(await home.listAgents(), [])
})

test('one home belongs to one service: another issuer, root or log key is refused', async t => {
  const home = await Home.open(await scratch(t))
  await home.saveService(service)
  await home.saveService(service)
  await home.saveService({ ...service, logKey: 'log+00000000+AAAA' })
  const code = 'home-other-service'
  await t.throwsAsync(home.saveService({ ...service, issuer: 'https://b.example' }), { code })
  await t.throwsAsync(home.saveService({ issuer, root: second.root }), { code })
  await t.throwsAsync(home.saveService({ ...service, logKey: 'log+00000000+BBBB' }), { code })
})

test('a pinned log key stays when the service is saved without one', async t => {
  const home = await Home.open(await scratch(t))
  await home.saveService({ ...service, logKey: 'log+00000000+AAAA' })
  await home.saveService(service)
  t.is((await home.loadService()).logKey, 'log+00000000+AAAA')
})

test('a root that was exchanged behind the record is noticed', async t => {
  const home = await Home.open(await scratch(t))
  await home.saveService(service)
  const other = await Home.open(await scratch(t))
  await other.saveService({ ...service, root: second.root })
  await home.writeText('root.pem', await other.readText('root.pem'))
  await t.throwsAsync(home.loadService(), { code: 'home-malformed' })
})

for (const [what, text] of [
  ['no JSON', '{'],
  ['a list', '[]'],
  ['nothing', 'null'],
  ['a member too few', '{"id":"h","spiffeId":"s","name":"n","keyFile":"k"}'],
  [
    'a member too many',
    '{"id":"h","spiffeId":"s","name":"n","keyFile":"k","certificateFile":"c","x":""}',
  ],
  ['a number', '{"id":1,"spiffeId":"s","name":"n","keyFile":"k","certificateFile":"c"}'],
] as const) {
  test(`a record that is ${what} is refused, and named`, async t => {
    const home = await Home.open(await scratch(t))
    await writeFile(home.path('host.json'), text, { mode: 0o600 })
    const error = await t.throwsAsync(home.findHost(), { code: 'home-malformed' })
    t.regex((error as unknown as { found: string }).found, /host\.json/)
  })
}

test('no name leads out of a home', async t => {
  const home = await Home.open(await scratch(t))
  for (const name of [
    '../x',
    '/etc/passwd',
    'a/../b',
    '',
    '.',
    '..',
    'a/b/c',
    'a\0b',
    '.x',
    'a//b',
  ])
    t.throws(() => home.path(name), { code: 'home-malformed' }, JSON.stringify(name))
  t.notThrows(() => home.path('agents/a-1.key.pem'))
  await t.throwsAsync(home.saveAgent({ ...agent, id: '../x' }), { code: 'home-malformed' })
  t.is(await home.findAgent('../service'), undefined)
})

test('a key is never written over', async t => {
  const home = await Home.open(await scratch(t))
  await home.createText('host.key.pem', 'first')
  await t.throwsAsync(home.createText('host.key.pem', 'second'), { code: 'private-file-exists' })
  t.is(await home.readText('host.key.pem'), 'first')
})

test('a hundred writers of one file leave one of their texts, whole, and nothing else', async t => {
  const home = await Home.open(await scratch(t))
  const texts = Array.from({ length: 100 }, (_, index) => `${index}`.repeat(5_000))
  await Promise.all(texts.map(async text => await home.writeText('host.pem', text)))
  t.true(texts.includes(await home.readText('host.pem')))
  t.deepEqual((await readdir(home.directory)).toSorted(), ['agents', 'host.pem'])
})

test('removing what is not there is no error', async t => {
  const home = await Home.open(await scratch(t))
  await home.createText('host.key.pem', 'key')
  await home.remove('host.key.pem')
  await home.remove('host.key.pem')
  t.is(await home.readIfThere('host.key.pem'), undefined)
})
