import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { parse, stringify } from 'yaml'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { createToken } from '../../swtpm/soft-hsm.ts'
import { createStage, type Ended } from './cli-fixtures.ts'

const pin = '97531'
const directory = await createPrivateDirectory('assay-hsm')
const token = await createToken({
  dir: join(directory, 'token'),
  label: 'fleet',
  pin,
  soPin: '86428642',
})
const pinFile = join(directory, 'pin')
await writeFile(pinFile, `${pin}\n`, { mode: 0o600 })
const stage = await createStage({ ...token.environment, ASSAY_PIN_SOURCE: pinFile })
const { assay, issuer } = stage
const query = `?module-path=${token.modulePath}`
const uriOf = (object: string): string => `pkcs11:token=fleet;object=${object}${query}`
const levels = ['emulated', 'hsm-inspected', 'hsm-declared']

test.after.always(async () => {
  await stage.close()
  discardDirectory(directory)
})

function ok(t: { is: (a: unknown, b: unknown, message?: string) => unknown }, done: Ended): Ended {
  t.is(done.status, 0, done.stderr)
  return done
}

/** Sets what the configuration admits, and the tokens that the service looks into. */
async function configure(assurance: readonly string[]): Promise<void> {
  const path = join(stage.directory, 'data', 'config.yaml')
  const config = parse(await readFile(path, 'utf8')) as Record<string, unknown>
  const inspection = { pkcs11: [`pkcs11:token=fleet${query}&pin-source=${pinFile}`] }
  await writeFile(path, stringify({ ...config, attestation: { assurance, pcrs: [0] }, inspection }))
}

function enroll(fingerprint: string, object: string, more: readonly string[]): string[] {
  const where = ['host', 'enroll', issuer, '--fingerprint', fingerprint, '--name', object]
  return [...where, '--pkcs11', uriOf(object), ...more, '--json']
}

test.serial('without the word emulated a key of SoftHSM is let in by no level', async t => {
  const made = ok(t, await assay(['init', '--issuer', issuer, '--json'])).json()
  const fingerprint = String(made['fingerprint'])
  await configure(['hsm-inspected', 'hsm-declared'])
  const serving = await stage.serve()
  const line = enroll(fingerprint, 'host-i', ['--create-key', '--evidence', 'inspected'])
  const refused = await assay(line, { home: 'host-i' })
  t.is(refused.status, 1)
  t.is(refused.code, 'attestation-contraindicated', refused.stderr)
  await serving.stop()
  await configure(levels)
  await stage.serve()
})

test.serial('a host is let in by a key that the service looks at itself', async t => {
  const fingerprint = await pinned(t)
  const wrong = enroll(fingerprint, 'host-i', ['--evidence', 'declared'])
  t.is((await assay(wrong, { home: 'host-i' })).code, 'usage-missing')
  const line = enroll(fingerprint, 'host-i', ['--evidence', 'inspected'])
  const host = ok(t, await assay(line, { home: 'host-i' })).json()
  t.like(host['attestationResult'], { assurance: 'emulated', status: 'affirming', platform: null })
  t.false(JSON.stringify(host).includes(pin))
  ok(t, await assay(['host', 'renew', '--json'], { home: 'host-i' }))
})

test.serial(
  'a host is let in by the word of a registered key of its token, and by no other',
  async t => {
    const fingerprint = await pinned(t)
    const uri = uriOf('attestation')
    const shown = ok(t, await assay(['hsm-key', 'show', '--pkcs11', uri, '--create-key', '--json']))
    const file = join(directory, 'key.json')
    await writeFile(file, shown.stdout)
    const declared = ['--evidence', 'declared', '--attestation-key', 'attestation']
    const line = enroll(fingerprint, 'host-d', declared)
    const early = await assay([...line, '--create-key'], { home: 'host-d' })
    t.is(early.code, 'hsm-statement-signer', early.stderr)
    const jkt = String(shown.json()['jkt'])
    const register = ['hsm-key', 'register', file, '--name', 'vault', '--thumbprint']
    t.is((await assay([...register, 'another'])).status, 2)
    ok(t, await assay([...register, jkt]))
    t.is((await assay([...register, jkt])).code, 'hsm-key-exists')
    // The token is the host that is in already by the other level: it attests anew, under another name.
    const host = ok(t, await assay(line, { home: 'host-d' })).json()
    t.like(host['attestationResult'], { assurance: 'emulated' })
    t.regex(ok(t, await assay(['hsm-key', 'list'])).stdout, /vault +SoftHSM project +active/)
  },
)

test.serial(
  'agents of the host have keys in its token, with tokens, renewal and rekey',
  async t => {
    const home = 'host-d'
    const register = [
      'class',
      'register',
      'coder',
      '--audience',
      'https://api.example',
      '--host',
      '*',
    ]
    ok(t, await assay(register))
    const agent = ok(
      t,
      await assay(['agent', 'create', '--class', 'coder', '--json'], { home }),
    ).json()
    const id = String(agent['id'])
    const keyFile = await readFile(join(stage.directory, home, 'agents', `${id}.key.pem`), 'utf8')
    t.regex(keyFile, /^pkcs11:token=fleet;object=assay-agent-/)
    const fetched = ok(t, await assay(['agent', 'token', id, '--json'], { home })).json()
    t.like(fetched, { agent: id, token_type: 'DPoP' })
    ok(t, await assay(['agent', 'renew', id], { home }))
    ok(t, await assay(['agent', 'renew', id, '--rekey'], { home }))
    ok(t, await assay(['agent', 'token', id], { home }))
    ok(
      t,
      await assay(['host', 'enroll', '--name', 'host-d', '--pkcs11', uriOf('host-d'), ...again], {
        home,
      }),
    )
  },
)

const again = ['--evidence', 'declared', '--attestation-key', 'attestation']

test.serial('what a retired key states counts no more, and the log tells all of it', async t => {
  const [key] = ok(t, await assay(['hsm-key', 'list', '--json'])).json()['hsmKeys'] as unknown as {
    jkt: string
  }[]
  ok(t, await assay(['hsm-key', 'retire', String(key?.jkt), '--reason', 'PIN was shared']))
  t.is(
    (await assay(['hsm-key', 'retire', String(key?.jkt), '--reason', 'again'])).code,
    'hsm-key-retired',
  )
  const line = ['host', 'enroll', '--pkcs11', uriOf('host-d'), ...again]
  t.is((await assay(line, { home: 'host-d' })).code, 'hsm-statement-signer')
  ok(t, await assay(['audit', 'verify']))
})

async function pinned(t: Parameters<typeof ok>[0]): Promise<string> {
  const service = await readFile(join(stage.directory, 'operator', 'service.json'), 'utf8')
  const { fingerprint } = JSON.parse(service) as { fingerprint: string }
  t.is(typeof fingerprint, 'string')
  return fingerprint
}
