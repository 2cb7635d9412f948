import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { createStage } from './cli-fixtures.ts'

const bench = await startTestBench({ endorsementKeys: ['ecc-p256'] })
const stage = await createStage({ ASSAY_TCTI: bench.tcti })
const { assay, directory, done, issuer } = stage

const made = await assay(['init', '--issuer', issuer, '--allow-emulated', '--key', 'tpm', '--json'])
const fingerprint = String((made.json() as Record<string, unknown>)['fingerprint'])
await stage.serve()

test.after.always(async () => {
  await stage.close()
  await bench.stop()
})

async function writePolicy(name: string, pcr0: string): Promise<string> {
  const path = join(directory, name)
  const text = [
    'name: strict',
    'assurance: [emulated]',
    'pcrs: { sha256: [0, 7] }',
    'validitySeconds: 3600',
    'referenceValues:',
    `  golden: { digest: '${pcr0}' }`,
    'rules:',
    '  - { kind: endorsement, accept: [certificate] }',
    '  - { kind: pcr-values, id: boot, values: { 0: [golden] } }',
    '',
  ].join('\n')
  await writeFile(path, text)
  return path
}

let hostId = ''

test.serial('a machine enrols under the policy of the configuration', async t => {
  const anchor = join(directory, 'root.pem')
  await writeFile(anchor, bench.manufacturer.rootCertificate)
  const labels = ['--name', 'throwaway', '--vendor', 'id:00001014', '--assurance', 'emulated']
  t.is((await assay(['anchor', 'add', anchor, ...labels])).status, 0)
  const command = ['host', 'enroll', issuer, '--fingerprint', fingerprint, '--name', 'web-1']
  hostId = String((await done('host', ...command))['id'])
  t.like(await done('operator', 'policy', 'list'), { active: 1 })
  const shown = await assay(['policy', 'show'])
  t.regex(shown.stdout, /"name": "configuration"/)
})

test.serial(
  'a policy is checked without a service, and its mistakes are named with their line',
  async t => {
    const path = await writePolicy('strict.yaml', '00'.repeat(32))
    const checked = await assay(['policy', 'check', path], { home: 'nobody' })
    t.is(checked.status, 0, checked.stderr)
    t.regex(checked.stdout, /^digest: +sha256:[0-9a-f]{64}$/m)
    const wrong = await writePolicy('wrong.yaml', 'zz')
    const refused = await assay(['policy', 'check', wrong], { home: 'nobody' })
    t.is(refused.status, 1)
    t.is(refused.code, 'policy-file')
    t.regex(refused.stderr, /wrong\.yaml:6: referenceValues\.golden/)
  },
)

test.serial('a policy that would shut a host out says so before it does', async t => {
  const path = await writePolicy('strict.yaml', 'ab'.repeat(32))
  t.like(await done('operator', 'policy', 'propose', path), { version: 2 })
  const simulated = await assay(['policy', 'simulate', '2'])
  t.is(simulated.status, 0, simulated.stderr)
  t.regex(simulated.stdout, /^1 of 1 hosts would change\.$/m)
  t.regex(simulated.stdout, new RegExp(`web-1 \\(${hostId}\\)`))
  t.regex(simulated.stdout, /affirming → contraindicated, not admitted/)
  t.regex(simulated.stdout, /contraindicated: boot PCR 0 0{64}/)
  t.like(await done('operator', 'policy', 'list'), { active: 1 })
})

test.serial(
  'a version is put into force by a signature of the operator’s TPM, and holds',
  async t => {
    const other = await writePolicy('other.yaml', 'cd'.repeat(32))
    const differs = await assay(['policy', 'activate', '2', '--file', other])
    t.is(differs.status, 1)
    t.is(differs.code, 'policy-differs')
    const path = await writePolicy('strict.yaml', 'ab'.repeat(32))
    const activated = await done('operator', 'policy', 'activate', '2', '--file', path)
    t.like(activated, { version: 2, sequence: 2 })
    t.regex(String(activated['jws']), /^[\w-]+\.[\w-]+\.[\w-]+$/)
    const again = await assay(['host', 'enroll', '--name', 'web-1'], { home: 'host' })
    t.is(again.status, 1)
    t.is(again.code, 'attestation-contraindicated')
  },
)

test.serial('a policy that fits lets the host in again', async t => {
  const path = await writePolicy('fitting.yaml', '00'.repeat(32))
  const { version } = await done('operator', 'policy', 'propose', path)
  t.like(await done('operator', 'policy', 'simulate', String(version)), { changes: [] })
  await done('operator', 'policy', 'activate', String(version))
  const enrolled = await done('host', 'host', 'enroll', '--name', 'web-1')
  t.like(enrolled, { id: hostId, attestationResult: { status: 'affirming', rule: 'boot' } })
})

test.serial('a version that is none is wrong usage or unknown', async t => {
  t.is((await assay(['policy', 'simulate', 'two'])).status, 2)
  const unknown = await assay(['policy', 'show', '9'])
  t.is(unknown.status, 1)
  t.is(unknown.code, 'policy-unknown')
})
