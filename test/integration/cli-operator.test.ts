import { execFile } from 'node:child_process'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { createStage } from './cli-fixtures.ts'

const stage = await createStage()
const { assay, directory, issuer } = stage
const init = await assay([
  'init',
  '--issuer',
  issuer,
  '--trust-domain',
  'assay.test',
  '--allow-emulated',
  '--operator',
  'alice',
  '--json',
])
const serving = await stage.serve()
const fingerprint = String((init.json() as Record<string, unknown>)['fingerprint'])
const anchorFile = join(directory, 'manufacturer.pem')
await promisify(execFile)('openssl', [
  ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=Throwaway'.split(' '),
  ...'-days 3 -addext keyUsage=critical,keyCertSign -keyout'.split(' '),
  join(directory, 'manufacturer.key'),
  '-out',
  anchorFile,
])
test.after.always(async () => await stage.close())

test.serial(
  'init makes a service, says what hosts pin, and marks a file key as the lowest level',
  async t => {
    t.is(init.status, 0)
    const made = init.json() as Record<string, unknown>
    t.regex(fingerprint, /^sha256:[0-9a-f]{64}$/)
    t.like(made, {
      issuer,
      trustDomain: 'assay.test',
      operator: { name: 'alice', keyProtection: 'file' },
    })
    t.regex(String((made['operator'] as Record<string, unknown>)['note']), /lowest level/)
    t.deepEqual(made['assurance'], ['tpm-discrete', 'tpm-firmware', 'tpm-virtual', 'emulated'])
    t.is((await stat(join(directory, 'operator', 'operator.key.pem'))).mode & 0o777, 0o600)
  },
)

test.serial('init refuses a directory that holds a service', async t => {
  const again = await assay(['init', '--issuer', issuer, '--json'], { home: 'other' })
  t.is(again.status, 1)
  t.is(again.code, 'config-exists')
  t.like(again.json(), { error: { code: 'config-exists' } })
})

test.serial('init refuses a home of another service before it makes anything', async t => {
  const data = join(directory, 'second')
  const refused = await assay(['init', '--issuer', 'https://b.example', '--data', data])
  t.is(refused.status, 1)
  t.is(refused.code, 'home-other-service')
  await t.throwsAsync(stat(join(data, 'config.yaml')), { code: 'ENOENT' })
})

test.serial('init takes what it was told and refuses what is no issuer', async t => {
  for (const [option, value] of [
    ['--issuer', 'http://localhost'],
    ['--issuer', 'https://localhost/path'],
    ['--trust-domain', 'Not A Domain'],
  ] as const) {
    const data = join(directory, 'refused')
    const refused = await assay(['init', option, value, '--data', data], { home: 'refused' })
    t.is(refused.status, 1, value)
    t.is(refused.code, 'config-malformed', value)
  }
  const listen = await assay(['init', '--listen', 'a:b:c'], { home: 'refused' })
  t.is(listen.status, 2)
  t.is(listen.code, 'usage-malformed')
})

test.serial('serve says in one document where it listens and under which fingerprint', t => {
  t.like(serving.document, { issuer, fingerprint, address: { port: stage.port } })
})

for (const [words, nothing] of [
  [['anchor', 'list'], /No trust anchor/],
  [['host', 'list'], /No host/],
  [['class', 'list'], /No class/],
  [['agent', 'list'], /no agent/],
] as const) {
  test.serial(`${words.join(' ')} of a new service is empty, and says what to do`, async t => {
    const shown = await assay(words)
    t.is(shown.status, 0)
    t.regex(shown.stdout, nothing)
    t.is(shown.stderr, '')
    const [list] = Object.values((await assay([...words, '--json'])).json())
    t.deepEqual(list, [] as never)
  })
}

test.serial(
  'a trust anchor is admitted once, by PEM or DER, with the letters of its vendor',
  async t => {
    const labels = ['--name', 'throwaway', '--vendor', 'IFX', '--assurance', 'emulated']
    const added = await assay(['anchor', 'add', anchorFile, ...labels, '--json'])
    t.is(added.status, 0, added.stderr)
    t.like(added.json(), { name: 'throwaway', vendor: 'id:49465800', assurance: 'emulated' })
    const again = await assay(['anchor', 'add', anchorFile, ...labels])
    t.is(again.status, 1)
    t.is(again.code, 'anchor-exists')
    const listed = await assay(['anchor', 'list'])
    t.regex(listed.stdout, /^NAME +VENDOR/m)
    t.regex(listed.stdout, /^throwaway +id:49465800 +emulated/m)
  },
)

test.serial('a file that is no certificate is refused here, before anybody is asked', async t => {
  const labels = ['--name', 'x', '--vendor', 'IFX', '--assurance', 'emulated']
  const junk = join(directory, 'junk.pem')
  await writeFile(junk, 'hello')
  for (const file of [junk, join(directory, 'absent.pem')]) {
    const refused = await assay(['anchor', 'add', file, ...labels])
    t.is(refused.status, 1)
    t.is(refused.code, 'file-unreadable')
  }
})

test.serial('a class is registered and listed; what the service refuses has its code', async t => {
  const command = ['class', 'register', 'coder', '--audience', 'https://api.example', '--host', '*']
  const registered = await assay([...command, '--scope', 'read', '--scope', 'write', '--json'])
  t.is(registered.status, 0, registered.stderr)
  t.like(registered.json(), { name: 'coder', scopes: ['read', 'write'], tokenLifetimeSeconds: 300 })
  const again = await assay([...command, '--scope', 'read'])
  t.is(again.status, 1)
  t.is(again.code, 'class-exists')
  t.regex(
    (await assay(['class', 'list'])).stdout,
    /^coder +https:\/\/api\.example +read write +\*/m,
  )
  const malformed = await assay([
    'class',
    'register',
    'a b',
    '--audience',
    'https://a',
    '--host',
    '*',
  ])
  t.is(malformed.status, 1)
  t.is(malformed.code, 'request-malformed')
})

test.serial('wrong usage ends with 2, and with --json in a document', async t => {
  for (const line of [[], ['anchor', 'add', anchorFile], ['host', 'enroll']]) {
    const wrong = await assay(line, { home: 'nobody' })
    t.is(wrong.status, 2, line.join(' '))
    t.is(wrong.stdout, '', line.join(' '))
    t.not(wrong.stderr, '', line.join(' '))
  }
  const document = await assay(['anchor', 'add', '--json'], { home: 'nobody' })
  t.is(document.status, 2)
  t.like(document.json(), { error: { code: 'usage' } })
})

test.serial(
  'a second operator asks with a key of their own, and may do what their role says',
  async t => {
    const request = ['operator', 'request', issuer, '--fingerprint', fingerprint, '--name', 'bob']
    const asked = await assay([...request, '--json'], { home: 'bob' })
    t.is(asked.status, 0, asked.stderr)
    const before = await assay(['host', 'list'], { home: 'bob' })
    t.is(before.status, 1)
    const file = join(directory, 'bob.json')
    await writeFile(file, asked.stdout)
    const added = await assay(['operator', 'add', file, '--role', 'auditor', '--json'])
    t.is(added.status, 0, added.stderr)
    const id = String((added.json() as Record<string, unknown>)['id'])
    t.is((await assay(['host', 'list'], { home: 'bob' })).status, 0)
    const denied = await assay(['host', 'revoke', 'x', '--reason', 'no'], { home: 'bob' })
    t.is(denied.status, 1)
    t.is(denied.code, 'token-scope')
    t.regex(
      (await assay(['operator', 'list'])).stdout,
      new RegExp(`^${id} +bob +auditor +file +active`, 'm'),
    )
    t.is((await assay(['operator', 'revoke', id, '--reason', 'left'])).status, 0)
    const revoked = await assay(['host', 'list', '--json'], { home: 'bob' })
    t.is(revoked.status, 1)
    t.truthy((revoked.json() as { error?: { code?: string } }).error?.code)
  },
)

test.serial('a bare JWK is registered with the name and protection given here', async t => {
  const { jwk } = JSON.parse(await readFile(join(directory, 'bob.json'), 'utf8')) as { jwk: object }
  const file = join(directory, 'api.jwk')
  await writeFile(file, JSON.stringify(jwk))
  const bare = ['operator', 'add', file, '--role', 'resource-server', '--name', 'api']
  t.is((await assay(bare)).code, 'usage-missing')
  const command = [...bare, '--audience', 'https://api.example']
  const taken = await assay(command)
  t.is(taken.status, 1)
  t.is(taken.code, 'key-in-use')
  await writeFile(file, JSON.stringify({ ...jwk, d: 'AA' }))
  t.is((await assay(command)).code, 'jwk-private')
})

test.serial('a server with another fingerprint is refused', async t => {
  const other = `sha256:${'0'.repeat(64)}`
  const request = ['operator', 'request', issuer, '--fingerprint', other, '--name', 'eve']
  const refused = await assay(request, { home: 'eve' })
  t.is(refused.status, 1)
  t.is(refused.code, 'service-fingerprint')
  t.regex(refused.stderr, new RegExp(fingerprint))
  await t.throwsAsync(stat(join(directory, 'eve', 'operator.key.pem')), { code: 'ENOENT' })
})

test.serial(
  'a key file that others may read is refused, and used again once they may not',
  async t => {
    const file = join(directory, 'operator', 'operator.key.pem')
    await chmod(file, 0o644)
    const refused = await assay(['host', 'list'])
    await chmod(file, 0o600)
    t.is(refused.status, 1)
    t.is(refused.code, 'private-file-exposed')
    t.is((await assay(['host', 'list'])).status, 0)
  },
)

test.serial('a home without service or operator says what to begin with', async t => {
  const empty = await assay(['host', 'list'], { home: 'empty' })
  t.is(empty.status, 1)
  t.is(empty.code, 'home-empty')
  t.regex(empty.stderr, /try: +Begin with/)
})

test.serial(
  'the log is recomputed, extends what was verified before, and is shown by filters',
  async t => {
    const first = await assay(['audit', 'verify', '--json'])
    t.is(first.status, 0, first.stderr)
    t.like(first.json(), { origin: `localhost:${stage.port}/audit`, keySource: 'pinned' })
    const second = (await assay(['audit', 'verify', '--json'])).json() as Record<string, unknown>
    t.is(second['trustedSize'], (first.json() as Record<string, unknown>)['size'])
    const shown = (
      await assay(['audit', 'show', '--type', 'class', '--json'])
    ).json() as unknown as {
      entries: { type: string; subject: string }[]
    }
    t.like(shown.entries, [{ type: 'class.registered', subject: 'coder' }])
    t.is(shown.entries.length, 1)
    const limited: Record<string, unknown> = (
      await assay(['audit', 'show', '--limit', '2', '--since', '1h', '--json'])
    ).json()
    t.is((limited['entries'] as unknown[]).length, 2)
    const text = await assay(['audit', 'show', '--type', 'operator.revoked'])
    t.regex(text.stdout, /operator\.revoked/)
    t.regex(text.stdout, /reason=left/)
    t.is((await assay(['audit', 'show', '--subject', 'nobody'])).stdout, 'No entry fits.\n')
  },
)

test.serial('no secret and no token is in what the service logs', async t => {
  const { status, stderr } = await serving.stop()
  t.is(status, 0)
  t.regex(stderr, /"msg":"listening"/)
  t.regex(stderr, /"msg":"stopped"/)
  t.notRegex(stderr, /eyJ[\w-]{10,}\./)
  t.notRegex(stderr, /PRIVATE KEY/)
  const gone = await assay(['host', 'list'])
  t.is(gone.status, 1)
  t.is(gone.code, 'service-unreachable')
})
