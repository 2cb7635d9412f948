import test from 'ava'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ruleTable } from '../../src/core/appraisal/rule-table.ts'
import { loadPolicyFile, parsePolicyText } from '../../src/cli/policy-file.ts'

const digest = 'a1'.repeat(32)

const yaml = `
name: production
assurance: [tpm-discrete, tpm-firmware]
pcrs: { sha256: [0, 4, 7] }
validitySeconds: 3600
referenceValues:
  uki-2026.10: { digest: ${digest} }
rules:
  - kind: endorsement
    accept: [certificate]
  - kind: pcr-values
    id: boot
    values: { 7: [uki-2026.10] }
`

test('a policy is read from YAML, and from JSON with the same digest', t => {
  const policy = parsePolicyText(yaml, 'production.yaml')
  t.is(policy.document.name, 'production')
  t.deepEqual(
    policy.document.rules.map(rule => rule.id),
    ['endorsement', 'boot'],
  )
  const json = JSON.stringify({
    rules: [
      { accept: ['certificate'], kind: 'endorsement' },
      { values: { 7: ['uki-2026.10'] }, id: 'boot', kind: 'pcr-values' },
    ],
    referenceValues: { 'uki-2026.10': { digests: [digest] } },
    validitySeconds: 3600,
    pcrs: { sha256: [0, 4, 7] },
    assurance: ['tpm-discrete', 'tpm-firmware'],
    name: 'production',
  })
  t.is(parsePolicyText(json, 'production.json').id, policy.id)
})

const wrong: Readonly<Record<string, readonly [string, string]>> = {
  'an unknown member': ['name: production', 'nmae: production'],
  'a rule of an unknown kind': ['kind: endorsement', 'kind: anything'],
  'a member twice': ['name: production', 'name: production\nname: other'],
  'no number': ['validitySeconds: 3600', 'validitySeconds: soon'],
  'broken YAML': ['[tpm-discrete, tpm-firmware]', '[tpm-discrete, tpm-firmware'],
}

for (const [name, [from, to]] of Object.entries(wrong)) {
  test(`refuses a file with ${name}, by its name`, t => {
    const text = yaml.replace(from, to)
    t.not(text, yaml)
    const error = t.throws(() => parsePolicyText(text, 'production.yaml'), { code: 'policy-file' })
    t.regex((error as unknown as { found: string }).found, /^production\.yaml/)
  })
}

test('a value that is wrong is named with its line', t => {
  const text = yaml.replace('validitySeconds: 3600', 'validitySeconds: 1')
  const error = t.throws(() => parsePolicyText(text, 'p.yaml'), { code: 'policy-file' })
  t.regex((error as unknown as { found: string }).found, /^p\.yaml:5: validitySeconds: /)
})

test('refuses what the service would refuse, with the same code', t => {
  t.throws(() => parsePolicyText(yaml.replace('7: [uki', '9: [uki'), 'p'), {
    code: 'policy-pcr-unquoted',
  })
  t.throws(() => parsePolicyText(yaml.replace('7: [uki-2026.10]', '7: [nobody]'), 'p'), {
    code: 'policy-reference-unknown',
  })
})

test('refuses a file that is not there', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-policy-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'policy.yaml')
  await t.throwsAsync(loadPolicyFile(path), { code: 'file-unreadable' })
  writeFileSync(path, yaml)
  t.is((await loadPolicyFile(path)).document.name, 'production')
})

test('the example in ca is a policy that shows every kind of rule', async t => {
  const { document } = await loadPolicyFile('ca/policy-example.yaml')
  const shown = new Set(document.rules.map(({ kind }) => kind))
  t.deepEqual([...shown].toSorted(), Object.keys(ruleTable).toSorted())
})
