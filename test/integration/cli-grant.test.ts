import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { createStage, type Ended } from './cli-fixtures.ts'

const bench = await startTestBench({ endorsementKeys: ['ecc-p256'] })
const stage = await createStage({ ASSAY_TCTI: bench.tcti })
const { assay, directory, done, issuer } = stage

test.after.always(async () => {
  await stage.close()
  await bench.stop()
})

async function write(name: string, text: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, text)
  return path
}

const starter = readFileSync('ca/authorization-starter.cedar', 'utf8')
const forbid =
  '@id("closing") @requestable("30") forbid (principal is Agent, action == Action::"issueToken", resource) when { context.details.actions.contains("close") } unless { context.approved };'
const type = { type: 'ticket', actions: ['read', 'close'] }

let detailFile = ''
let request = ''

/** A host with an agent whose tickets are closed by approval alone, and a second operator. */
test.before(async () => {
  const { fingerprint } = await done('operator', 'init', '--issuer', issuer, '--allow-emulated')
  await stage.serve()
  const root = await write('root.pem', bench.manufacturer.rootCertificate)
  const labels = ['--name', 'throwaway', '--vendor', 'id:00001014', '--assurance', 'emulated']
  await done('operator', 'anchor', 'add', root, ...labels)
  const service = [issuer, '--fingerprint', String(fingerprint)]
  await done('host', 'host', 'enroll', ...service, '--name', 'web-1')
  const types = await write('types.json', JSON.stringify([type]))
  const form = ['--audience', 'https://tickets.example', '--host', '*', '--details', types]
  await done('operator', 'class', 'register', 'closer', ...form)
  await done('host', 'agent', 'create', '--class', 'closer')
  const key = ['--name', 'bob', '--key', 'file']
  const asked = await done('second', 'operator', 'request', ...service, ...key)
  const file = await write('bob.json', JSON.stringify(asked))
  await done('operator', 'operator', 'add', file, '--role', 'administrator')
  const path = await write('grants.cedar', [starter, forbid].join('\n'))
  await done('operator', 'policy', 'propose', path)
  await done('operator', 'policy', 'activate', '2', '--kind', 'authorization', '--file', path)
  detailFile = await write('close.json', JSON.stringify([{ type: 'ticket', actions: ['close'] }]))
})

async function askForToken(...more: string[]): Promise<Ended> {
  return await assay(['agent', 'token', '--details', detailFile, ...more], { home: 'host' })
}

test.serial('a policy that is requestable is shown as such before it is proposed', async t => {
  const checked = await assay(['policy', 'check', join(directory, 'grants.cedar')])
  t.regex(checked.stdout, /^requestable: +closing \(up to 30 minutes\)$/m)
})

test.serial('a denied agent is told the request that it opened, and can look at it', async t => {
  const denied = await askForToken()
  t.is(denied.status, 1)
  t.is(denied.code, 'authorization-requestable')
  request = /^ {2}grant: +(\S+)$/m.exec(denied.stderr)?.[1] ?? ''
  t.not(request, '')
  const document = (await askForToken('--json')).json() as unknown as { error: object }
  t.like(document.error, { code: 'authorization-requestable', grant: request })
  t.like(await done('host', 'agent', 'grant', request), { status: 'pending' })
  const explained = await assay(['policy', 'explain', '--json', await lastDenial()])
  t.like(explained.json(), {
    isSame: true,
    requestable: { minutes: 30, policies: ['closing'], grantRequest: request },
    approval: null,
  })
})

async function lastDenial(): Promise<string> {
  const shown = await done('operator', 'audit', 'show', '--type', 'authorization.denied')
  const entries = shown['entries'] as { readonly index: number }[]
  return String(entries.at(-1)?.index)
}

test.serial(
  'its owner does not approve it, another operator does, and it is used once',
  async t => {
    const listed = await assay(['grant', 'list'])
    t.regex(
      listed.stdout,
      new RegExp(`^${request} +pending +spiffe://localhost/agent/closer/`, 'm'),
    )
    const reason = ['--reason', 'ticket 7']
    t.is((await assay(['grant', 'approve', request, ...reason])).code, 'grant-own')
    t.is((await assay(['grant', 'approve', request])).status, 2)
    const both = ['grant', 'approve', request, ...reason, '--once', '--minutes', '5']
    t.is((await assay(both, { home: 'second' })).status, 2)
    const shown = await assay(['grant', 'show', request], { home: 'second' })
    t.regex(shown.stdout, /^may count: +once, or up to 30 minutes$/m)
    t.regex(shown.stdout, /"close"/)
    const approved = await assay(['grant', 'approve', request, ...reason], { home: 'second' })
    t.regex(approved.stdout, /^The request is approved for one token, until /)
    const token = await askForToken('--json')
    t.is(token.status, 0, token.stderr)
    t.is((await askForToken()).code, 'authorization-requestable')
    t.like(await done('operator', 'grant', 'show', request), { status: 'used', uses: 1 })
  },
)

test.serial(
  'the log says who approved what was used, and every decision is made again',
  async t => {
    const { entries } = (await done('operator', 'audit', 'show', '--type', 'token.issued')) as {
      entries: { index: number; detail: { authorization: { grant?: string } } }[]
    }
    const used = entries.find(({ detail }) => detail.authorization.grant === request)
    const explained = await assay(['policy', 'explain', String(used?.index)])
    t.is(explained.status, 0, explained.stderr)
    t.regex(explained.stdout, /^approved by: +spiffe:\/\/localhost\/operator\//m)
    t.regex(explained.stdout, /^reason: +ticket 7$/m)
    t.deepEqual((await done('operator', 'policy', 'explain', '--all'))['differing'], [])
  },
)

test.serial('a request is denied with a reason, an approval taken back', async t => {
  const { grants } = (await done('second', 'grant', 'list')) as { grants: { id: string }[] }
  const id = String(grants[0]?.id)
  const reason = ['--reason', 'not today']
  await done('second', 'grant', 'approve', id, '--minutes', '5', ...reason)
  await done('second', 'grant', 'withdraw', id, ...reason)
  t.is((await assay(['grant', 'deny', id, ...reason])).code, 'grant-decided')
  const again = (await askForToken('--json')).json() as unknown as { error: { grant: string } }
  t.like(await done('second', 'grant', 'deny', again.error.grant, ...reason), { status: 'denied' })
  t.is((await askForToken()).code, 'authorization-declined')
})
