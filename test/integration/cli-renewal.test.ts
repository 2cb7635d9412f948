import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { until } from '../support/until.ts'
import { createStage, type Ended, type Serving } from './cli-fixtures.ts'
import { createTokenBehindDouble } from './token-behind-double.ts'

const token = await createTokenBehindDouble('assay-renewal')
const bench = await startTestBench({ endorsementKeys: ['ecc-p256'] })
const stage = await createStage({ ...token.environment, ASSAY_TCTI: bench.tcti })
const { assay, directory, issuer } = stage
let service: Serving

test.after.always(async () => {
  await stage.close()
  await bench.stop()
  token.discard()
})

const homeOf = ([first = '']: readonly string[]): string =>
  ['host', 'agent'].includes(first) ? 'host' : 'operator'

async function run(...args: string[]): Promise<Ended> {
  return await assay([...args, '--json'], { home: homeOf(args) })
}

async function done(...args: string[]): Promise<Record<string, unknown>> {
  return await stage.done(homeOf(args), ...args)
}

const signatures = async (): Promise<number> =>
  (await token.double.calls()).filter(call => call === 'C_Sign').length

test.serial('host and agent renew by commands that prove their keys again', async t => {
  const flags = ['--allow-emulated', '--key', 'file', '--issuing-key', token.uri('ca')]
  const { fingerprint } = await done('init', '--issuer', issuer, ...flags)
  await stage.allowTime(60_000)
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
    await token.double.control({ call: 'C_Sign', answer: { delayMs: 20_000 } })
    const renewing = run('host', 'renew')
    await until(async () => (await signatures()) > before)
    await service.stop('SIGKILL')
    t.not((await renewing).status, 0)
    await token.double.control()
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
