import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { createStage } from './cli-fixtures.ts'

const bench = await startTestBench({ endorsementKeys: ['ecc-p256'] })
const stage = await createStage({ ASSAY_TCTI: bench.tcti })
const { assay, directory, issuer } = stage

test.after.always(async () => {
  await stage.close()
  await bench.stop()
})

/** A command that must succeed, as JSON. */
async function done(...args: string[]): Promise<Record<string, unknown>> {
  const home = args[0] === 'host' ? 'host' : 'operator'
  return await stage.done(home, ...args)
}

/** Asks again until the answer is as it should be; the keeper works by itself. */
async function until<T>(ask: () => Promise<T>, isReady: (answer: T) => boolean): Promise<T> {
  for (let attempt = 0; attempt < 40; attempt += 1) {
    const answer = await ask()
    if (isReady(answer)) return answer
    await new Promise(resolve => setTimeout(resolve, 250))
  }
  throw new Error('not in ten seconds')
}

const revokedOf = (list: Record<string, unknown>): unknown[] => list['revoked'] as unknown[]

test('a certificate is shown, revoked, and on its list a moment later', async t => {
  const { fingerprint } = await done(
    'init',
    '--issuer',
    issuer,
    '--allow-emulated',
    '--key',
    'file',
  )
  await stage.serve()
  const anchor = join(directory, 'root.pem')
  await writeFile(anchor, bench.manufacturer.rootCertificate)
  const labels = ['--name', 'throwaway', '--vendor', 'id:00001014', '--assurance', 'emulated']
  await done('anchor', 'add', anchor, ...labels)
  const enrolled = await done('host', 'enroll', issuer, '--fingerprint', String(fingerprint))
  const { certificates } = await done('cert', 'list')
  const [{ serial = '' } = {}] = certificates as { serial?: string }[]
  const file = join(directory, 'leaf.pem')
  await writeFile(file, String((enrolled['certificateChain'] as string[])[0]))
  const shown = await done('cert', 'show', file)
  t.like(shown, { serial, status: 'issued', assurance: 'emulated', isExpired: false })
  t.regex((await assay(['cert', 'show', serial])).stdout, new RegExp(`^serial: +${serial}`, 'm'))

  const url = String(shown['crlUrl'])
  const fetched = async (): Promise<Record<string, unknown>> => {
    const ended = await assay(['crl', 'fetch', url, '--json'])
    return ended.status === 0 ? ended.json() : { revoked: [], missing: true }
  }
  t.deepEqual(revokedOf(await until(fetched, list => list['missing'] !== true)), [])
  const reason = ['--reason', 'seen elsewhere', '--reason-code', 'keyCompromise']
  t.like(await done('cert', 'revoke', serial, ...reason), { certificates: 1 })
  const list = await until(fetched, answer => revokedOf(answer).length > 0)
  t.deepEqual(list['revoked'], [{ serial, reason: 1 }])

  const out = join(directory, 'list.crl')
  await done('crl', 'fetch', url, '--out', out)
  t.deepEqual((await done('crl', 'show', out))['revoked'], list['revoked'])
  t.is((await done('crl', 'list'))['certificateLists']?.constructor, Array)
  t.is(((await done('crl', 'build'))['certificateLists'] as unknown[]).length, 16)

  t.is((await assay(['cert', 'show', '4711'])).code, 'serial-unknown')
  t.is((await assay(['cert', 'show', anchor + '.none'])).code, 'file-unreadable')
  t.is((await assay(['crl', 'show', anchor])).code, 'file-unreadable')
  const elsewhere = await assay(['crl', 'fetch', 'https://elsewhere.example/crl/1/2'])
  t.is(elsewhere.status, 2)
})
