import { mkdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { createPkcs11Double } from '../../swtpm/pkcs11-double.ts'
import { createToken } from '../../swtpm/soft-hsm.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { createStage, type Ended, type Serving } from './cli-fixtures.ts'

const pin = '86420'
const place = await createPrivateDirectory('assay-renewal')
const token = await createToken({
  dir: join(place, 'token'),
  label: 'authority',
  pin,
  soPin: '86428642',
})
mkdirSync(join(place, 'double'))
const double = await createPkcs11Double(join(place, 'double'), token.modulePath)
const pinFile = join(place, 'pin')
await writeFile(pinFile, `${pin}\n`, { mode: 0o600 })
const issuingKey = `pkcs11:token=authority;object=ca?module-path=${double.modulePath}&pin-source=${pinFile}`
const bench = await startTestBench({ endorsementKeys: ['ecc-p256'] })
const stage = await createStage({ ...token.environment, ASSAY_TCTI: bench.tcti })
const { assay, directory, issuer } = stage
let service: Serving

test.after.always(async () => {
  await stage.close()
  await bench.stop()
  discardDirectory(place)
})

async function run(...args: string[]): Promise<Ended> {
  const home = ['host', 'agent'].includes(args[0] ?? '') ? 'host' : 'operator'
  return await assay([...args, '--json'], { home })
}

/** A command that must succeed, as JSON. */
async function done(...args: string[]): Promise<Record<string, unknown>> {
  const ended = await run(...args)
  if (ended.status !== 0) throw new Error(`assay ${args.join(' ')}: ${ended.stderr}`)
  return ended.json()
}

/** A loaded machine is slower than any token. */
async function allowTime(): Promise<void> {
  const path = join(directory, 'data', 'config.yaml')
  const config = await readFile(path, 'utf8')
  await writeFile(path, config.replace(/deadlineMs: \d+/, 'deadlineMs: 60000'))
}

async function until(isReady: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (await isReady()) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error('not in half a minute')
}

const signatures = async (): Promise<number> =>
  (await double.calls()).filter(call => call === 'C_Sign').length

test.serial('host and agent renew by commands that prove their keys again', async t => {
  const flags = ['--allow-emulated', '--key', 'file', '--issuing-key', issuingKey]
  const { fingerprint } = await done('init', '--issuer', issuer, ...flags)
  await allowTime()
  service = await stage.serve()
  const anchor = join(directory, 'root.pem')
  await writeFile(anchor, bench.manufacturer.rootCertificate)
  const labels = ['--name', 'throwaway', '--vendor', 'id:00001014', '--assurance', 'emulated']
  await done('anchor', 'add', anchor, ...labels)
  await done('class', 'register', 'coder', '--audience', issuer, '--host', '*')
  await done('host', 'enroll', issuer, '--fingerprint', String(fingerprint))
  await done('agent', 'create', '--class', 'coder')
  t.truthy((await done('agent', 'renew'))['serial'])
  t.truthy((await done('host', 'renew'))['serial'])
})

test.serial(
  'after a kill between the intent and the signature the record tells what may be signed, and it can be revoked',
  async t => {
    const before = await signatures()
    // It is signed after the service is gone: nobody will ever have seen the certificate, and yet there is one.
    await double.control({ call: 'C_Sign', answer: { delayMs: 20_000 } })
    const renewing = run('host', 'renew')
    await until(async () => (await signatures()) > before)
    await service.stop('SIGKILL')
    t.not((await renewing).status, 0)
    await double.control()
    service = await stage.serve()
    const { certificates } = (await done('cert', 'list')) as {
      certificates: Record<string, unknown>[]
    }
    const [open, ...others] = certificates.filter(({ status }) => status === 'unknown')
    t.deepEqual(others, [])
    const { serial, spiffeId, jkt, tbsSha256, renewal } = open ?? {}
    t.regex(String(tbsSha256), /^[0-9a-f]{64}$/)
    t.is(renewal, null)
    const { entries } = (await done('audit', 'show', '--type', 'certificate')) as {
      entries: { type: string; subject: string; detail: Record<string, unknown> }[]
    }
    const about = entries.filter(({ detail }) => detail['serial'] === serial)
    t.deepEqual(
      about.map(({ type }) => type),
      ['certificate.intended', 'certificate.unknown'],
    )
    t.like(about[0], { subject: spiffeId, detail: { serial, jkt, tbs: tbsSha256 } })
    t.like(about[1], { subject: spiffeId, detail: { serial, outcome: 'unknown' } })

    const again = await done('host', 'renew')
    t.not(again['serial'], serial)
    const reason = ['--reason', 'nobody knows who has it']
    t.like(await done('cert', 'revoke', String(serial), ...reason), { certificates: 1 })
    const { status, crlUrl } = await done('cert', 'show', String(serial))
    t.is(status, 'revoked')
    await until(async () => {
      const list = await run('crl', 'fetch', String(crlUrl))
      return list.status === 0 && JSON.stringify(list.json()['revoked']).includes(String(serial))
    })
  },
)

test.serial(
  'after a restart of the TPM nothing is renewed before the host has attested anew',
  async t => {
    await bench.reset()
    for (const args of [
      ['agent', 'renew'],
      ['agent', 'renew', '--rekey'],
    ]) {
      const refused = await run(...args)
      t.is(refused.code, 'attestation-outdated', refused.stderr)
    }
    await done('host', 'enroll')
    t.truthy((await done('agent', 'renew'))['serial'])
  },
)
