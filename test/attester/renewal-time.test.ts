import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { Home } from '../../src/attester/home.ts'
import { encodePem } from '../../src/attester/pem.ts'
import { jitterOf, renewalTime } from '../../src/attester/renewal-time.ts'
import { createAuthority } from './local-service.ts'

const [authority, other] = await Promise.all([createAuthority(), createAuthority()])
const pem = (der: Uint8Array): string => encodePem('CERTIFICATE', der)
const { validFrom, validTo } = new X509Certificate(authority.issuing)
const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
const due = from + ((to - from) * 2) / 3

async function homeWith(t: ExecutionContext, text: string): Promise<Home> {
  const directory = await mkdtemp(join(tmpdir(), 'assay-renewal-'))
  t.teardown(async () => await rm(directory, { recursive: true, force: true }))
  const home = await Home.open(join(directory, 'home'))
  await home.writeText('host.pem', text)
  return home
}

for (const [name, chain] of [
  ['with its root', [authority.issuing, authority.root]],
  ['without its root', [authority.issuing]],
] as const)
  test(`a chain ${name} is renewed two thirds through its life while its root is trusted`, async t => {
    const home = await homeWith(t, chain.map(pem).join(''))
    const hint = { jitter: 0 }
    t.is(await renewalTime(home, 'host.pem', [other.root, authority.root], hint), due)
    t.is(await renewalTime(home, 'host.pem', [other.root], hint), 0)
    t.is(await renewalTime(home, 'host.pem', [], hint), 0)
    const window = { start: 1000, end: 2000 }
    const trusted = [authority.root]
    t.is(await renewalTime(home, 'host.pem', trusted, { window, jitter: 0.5 }), 1500)
    t.is(await renewalTime(home, 'host.pem', [], { window, jitter: 0.5 }), 0)
    const late = await renewalTime(home, 'host.pem', trusted, { jitter: 0.5 })
    t.is(late, from + ((to - from) * 3) / 4)
  })

test('a certificate has one place in its windows, and others have others', async t => {
  const home = await homeWith(t, pem(authority.root))
  const homes = [home, await homeWith(t, pem(other.root))]
  const [one, two] = await Promise.all(homes.map(async each => await jitterOf(each, 'host.pem')))
  t.true(one !== undefined && one >= 0 && one < 1)
  t.not(one, two)
  t.is(await jitterOf(home, 'host.pem'), one ?? 0)
})

test('where there is no certificate, one is due', async t => {
  t.is(await renewalTime(await homeWith(t, ''), 'host.pem', [authority.root], { jitter: 0 }), 0)
})

test('a damaged file is an error of the home', async t => {
  const text = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  const home = await homeWith(t, text)
  await t.throwsAsync(renewalTime(home, 'host.pem', [], { jitter: 0 }), { code: 'home-malformed' })
})
