import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { createToken, type SoftToken } from '../../swtpm/soft-hsm.ts'
import { exampleOf, firstSha256 } from '../cli/ceremony-stage.ts'
import { createStage } from './cli-fixtures.ts'

const pin = '97531'
const place = await createPrivateDirectory('assay-ceremony')

/** The token in the safe, and the one of the service's machine. */
const offline = await createOwn('offline')
const online = await createOwn('online')
const stage = await createStage(online.environment)
const pinFile = join(place, 'pin')
await writeFile(pinFile, `${pin}\n`, { mode: 0o600 })

async function createOwn(label: string): Promise<SoftToken> {
  return await createToken({ dir: join(place, label), label, pin, soPin: '97539753' })
}

const keyIn = (token: SoftToken, label: string, object: string): string =>
  `pkcs11:token=${label};object=${object}?module-path=${token.modulePath}&pin-source=${pinFile}`
const rootKey = keyIn(offline, 'offline', 'root')
const issuingKey = keyIn(online, 'online', 'issuing')

/** What a file says of the root as it was made, with a key. */
const rootWith = async (key: string): Promise<Record<string, unknown>> => {
  const sha256 = firstSha256(await readFile(join(place, 'root.pem'), 'latin1'))
  return { certificate: 'root.pem', sha256, key: { place: key } }
}

test.after.always(async () => {
  await stage.close()
  discardDirectory(place)
})

/** Holds a ceremony where one token is at hand and no other. */
async function hold(
  t: ExecutionContext,
  token: SoftToken,
  kind: string,
  changes: Record<string, unknown>,
): Promise<Record<string, never>> {
  const file = join(place, `${kind}.json`)
  await writeFile(file, JSON.stringify(exampleOf(kind, { trustDomain: 'localhost', ...changes })))
  const ran = await stage.assay(['ca', 'ceremony', file, '--json'], { env: token.environment })
  t.is(ran.status, 0, ran.stderr)
  return ran.json()
}

const openssl = (...args: readonly string[]): string =>
  execFileSync('openssl', args, { cwd: place, encoding: 'utf8', stdio: 'pipe' })

test.serial('a root is made in one token, an issuing authority below it in another', async t => {
  const made = await hold(t, offline, 'root', { key: { place: rootKey, make: 'P-384' } })
  t.is(String(made['keyAtRest']), 'token')
  const asked = await hold(t, online, 'request', {
    trustDomain: undefined,
    key: { place: issuingKey, make: 'P-256' },
  })
  await hold(t, offline, 'intermediate', {
    request: { file: 'issuing.csr', keySha256: asked['keySha256'] },
    issuer: await rootWith(rootKey),
    permitted: { uriHosts: ['localhost'] },
  })
  t.regex(openssl('verify', '-x509_strict', '-CAfile', 'root.pem', 'issuing.pem'), /OK/)
  t.notThrows(() => openssl('req', '-in', 'issuing.csr', '-noout', '-verify'))
  const names = await readdir(place, { recursive: true })
  t.false(names.some(name => name.endsWith('.key.pem')))
})

test.serial('a service begins with it, and clients that know the root alone trust it', async t => {
  const whose = ['--issuer', stage.issuer, '--trust-domain', 'localhost', '--json']
  const below = ['--issuing-certificate', join(place, 'chain.pem'), '--issuing-key', issuingKey]
  const made = await stage.assay(['init', ...whose, ...below])
  t.is(made.status, 0, made.stderr)
  const root = openssl('x509', '-in', 'root.pem', '-outform', 'der', '-out', 'root.der')
  t.is(root, '')
  const digest = createHash('sha256').update(await readFile(join(place, 'root.der')))
  t.is(String(made.json()['fingerprint']), `sha256:${digest.digest('hex')}`)
  await stage.allowTime(20_000)
  await stage.serve()
  const listed = await stage.assay(['operator', 'list'])
  t.is(listed.status, 0, listed.stderr)
  const names = await readdir(join(stage.directory, 'data', 'ca'))
  t.deepEqual(names.toSorted(), ['issuing.pem', 'root.pem'])
})

test.serial('the root’s token signs the list that takes the authority back', async t => {
  const issuer = await rootWith(rootKey)
  const without = { trustDomain: undefined, issuer }
  await hold(t, offline, 'crl', { ...without, revoked: [] })
  const verify = ['verify', '-crl_check_all', '-CAfile', 'root.pem']
  t.regex(openssl(...verify, '-CRLfile', 'root.crl', 'issuing.pem'), /OK/)
  await hold(t, offline, 'crl', { ...without, number: 2, previous: 'root.crl', list: '2.crl' })
  t.throws(() => openssl(...verify, '-CRLfile', '2.crl', 'issuing.pem'))
})

test.serial('without its token, or with another key in it, nothing is signed', async t => {
  const issuer = await rootWith(rootKey)
  const script = { trustDomain: undefined, number: 3, previous: '2.crl', list: '3.crl' }
  const refused = async (changes: Record<string, unknown>): Promise<string | undefined> => {
    const file = join(place, 'refused.json')
    await writeFile(file, JSON.stringify(exampleOf('crl', { ...script, ...changes })))
    const ran = await stage.assay(['ca', 'ceremony', file])
    return ran.code
  }
  t.is(await refused({ issuer }), 'pkcs11-token-absent')
  const wrong = await rootWith(issuingKey)
  t.is(await refused({ issuer: wrong }), 'ceremony-differs')
  t.false((await readdir(place)).includes('3.crl'))
})

test.serial('a ceremony that the lints refuse leaves no key in the token', async t => {
  const key = { place: keyIn(offline, 'offline', 'second'), make: 'P-384' }
  const file = join(place, 'long.json')
  const changes = { key, trustDomain: 'localhost', certificate: 'second.pem' }
  const long = exampleOf('root', { ...changes, notAfter: '2090-01-01T00:00:00Z' })
  await writeFile(file, JSON.stringify(long))
  const ran = await stage.assay(['ca', 'ceremony', file], { env: offline.environment })
  t.is(ran.code, 'lint-lifetime')
  await hold(t, offline, 'root', changes)
})
