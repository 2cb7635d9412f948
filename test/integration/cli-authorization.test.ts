import { readFileSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { createStage } from './cli-fixtures.ts'

const stage = await createStage({})
const { assay, directory, issuer } = stage

const made = await assay(['init', '--issuer', issuer, '--allow-emulated', '--json'])
const { operator } = made.json() as unknown as { operator: { id: string } }
const serving = await stage.serve()

test.after.always(async () => await stage.close())

/** A command that must succeed, as JSON. */
async function done(...args: string[]): Promise<Record<string, unknown>> {
  return await stage.done('operator', ...args)
}

const starter = readFileSync('ca/authorization-starter.cedar', 'utf8')

async function writePolicies(name: string, ...more: readonly string[]): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, [starter, ...more].join('\n'))
  return path
}

const kind = ['--kind', 'authorization']

test.serial(
  'policies are checked without a service, and what Cedar would skip is named',
  async t => {
    const checked = await assay(['policy', 'check', await writePolicies('same.cedar')], {
      home: 'no',
    })
    t.is(checked.status, 0, checked.stderr)
    t.regex(checked.stdout, /^permits: +.*hosts-enrol/m)
    const bad = await writePolicies(
      'bad.cedar',
      '@id("boot") forbid (principal is Host, action, resource) when { principal.secureBoot };',
    )
    const refused = await assay(['policy', 'check', bad], { home: 'no' })
    t.is(refused.status, 1)
    t.is(refused.code, 'authorization-optional')
    t.regex(refused.stderr, /boot: principal\.secureBoot/)
    const absent = await assay(['policy', 'check', join(directory, 'absent.cedar')])
    t.is(absent.code, 'file-unreadable')
  },
)

test.serial('init writes the starter set beside the configuration, and it is in force', async t => {
  t.like(await done('policy', 'list', ...kind), { active: 1 })
  const shown = await assay(['policy', 'show', ...kind])
  t.regex(shown.stdout, /@id\("operators-act"\)/)
})

test.serial(
  'a set is proposed, tried, put into force, and its decisions are made again',
  async t => {
    const path = await writePolicies(
      'strict.cedar',
      '@id("no-classes") @description("Classes are registered by nobody here.") forbid (principal is Operator, action == Action::"actAsOperator", resource) when { context.scopes.contains("classes:write") };',
    )
    t.like(await done('policy', 'propose', path), { version: 2 })
    const simulated = await assay(['policy', 'simulate', '2', ...kind])
    t.is(simulated.status, 0, simulated.stderr)
    t.regex(simulated.stdout, /requests would be answered otherwise/)
    const differs = await assay([
      'policy',
      'activate',
      '2',
      ...kind,
      '--file',
      join(directory, 'same.cedar'),
    ])
    t.is(differs.code, 'policy-differs')
    t.like(await done('policy', 'activate', '2', ...kind, '--file', path), { version: 2 })
    const denied = await assay([
      'class',
      'register',
      'x',
      '--audience',
      'https://x.example',
      '--host',
      '*',
    ])
    t.is(denied.code, 'authorization-denied')
    t.regex(denied.stderr, /found: +no-classes/)
    const all = await done('policy', 'explain', '--all')
    t.deepEqual(all['differing'], [])
    t.true(Number(all['decisions']) > 3)
    const { entries } = (await done('audit', 'show', '--type', 'authorization.denied')) as {
      entries: { index: number; detail: { decision: string } }[]
    }
    const [{ index, detail } = { index: -1, detail: { decision: '' } }] = entries
    for (const name of [String(index), detail.decision]) {
      const explained = await assay(['policy', 'explain', name])
      t.is(explained.status, 0, explained.stderr)
      t.regex(explained.stdout, /^Refused, and once more so from the log alone\.$/m)
      t.regex(explained.stdout, /^decided by: +no-classes$/m)
      t.regex(explained.stdout, /Classes are registered by nobody here/)
    }
    t.is((await assay(['policy', 'explain', 'nothing'])).code, 'decision-unknown')
    t.is((await assay(['policy', 'explain'])).status, 2)
  },
)

test.serial('a risk score is set with author, reason and end, and taken back', async t => {
  const score = ['--score', '60', '--reason', 'a trial', '--minutes', '5']
  t.like(await done('risk', 'set', 'operator', operator.id, ...score), { score: 60 })
  const listed = await assay(['risk', 'list'])
  t.regex(listed.stdout, /operator +\S+ +60 +.*a trial/)
  await done('risk', 'clear', 'operator', operator.id)
  t.deepEqual((await done('risk', 'list'))['risks'], [])
  t.is((await assay(['risk', 'clear', 'operator', operator.id])).code, 'risk-unknown')
  t.is((await assay(['host', 'label', 'nobody', 'eu'])).code, 'host-unknown')
})

test.serial(
  'operators whom the policies lock out are let in again from the data directory',
  async t => {
    const path = await writePolicies(
      'calm.cedar',
      '@id("calm") forbid (principal is Operator, action, resource) when { principal.riskScore > 50 };',
    )
    const { version } = await done('policy', 'propose', path)
    await done('policy', 'activate', String(version), ...kind)
    await done(
      'risk',
      'set',
      'operator',
      operator.id,
      '--score',
      '90',
      '--reason',
      'a trial',
      '--minutes',
      '9',
    )
    t.is((await assay(['risk', 'clear', 'operator', operator.id])).code, 'authorization-denied')
    const recover = ['policy', 'recover', '--reason', 'calm forbids everybody']
    t.is((await assay(recover)).code, 'store-in-use')
    await serving.stop()
    t.is((await assay(['policy', 'recover'])).status, 2)
    t.is((await assay([...recover, '--data', join(directory, 'none')])).code, 'config-missing')
    await chmod(join(directory, 'data'), 0o750)
    t.is((await assay(recover)).code, 'config-exposed')
    await chmod(join(directory, 'data'), 0o700)
    const next = Number(version) + 1
    t.like(await done(...recover), { version: next, replaces: version })
    await stage.serve()
    t.like(await done('policy', 'list', ...kind), { active: next })
    await done('risk', 'clear', 'operator', operator.id)
    const { entries } = (await done('audit', 'show', '--type', 'authorization.activated')) as {
      entries: { actor: string; detail: object }[]
    }
    const entry = entries.find(({ actor }) => actor === 'local-console')
    t.like(entry?.detail, { from: 'recovery', reason: 'calm forbids everybody' })
    t.deepEqual((await done('policy', 'explain', '--all'))['differing'], [])
  },
)
