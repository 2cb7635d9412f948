import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { createStage, type Ended } from './cli-fixtures.ts'

const stage = await createStage()
const { assay, directory, issuer } = stage
await assay(['init', '--issuer', issuer, '--allow-emulated'])
await stage.serve()

test.after.always(async () => await stage.close())

interface Kit {
  readonly attacks: readonly { readonly name: string; readonly isHeld: boolean }[]
  readonly held: number
  readonly broken: number
  readonly notPlayed: readonly string[]
}

const kitOf = (ended: Ended): Kit => ended.json() as unknown as Kit

async function activate(version: string, file: string): Promise<void> {
  for (const words of [
    ['propose', file],
    ['activate', version, '--file', file],
  ]) {
    const ended = await assay(['policy', ...words])
    if (ended.status !== 0) throw new Error(ended.stderr)
  }
}

test.serial(
  'the kit is held by a service as it is made, and names what it did not play',
  async t => {
    const ended = await assay(['attack', '--json'])
    t.is(ended.status, 0, ended.stderr)
    const { attacks, held, broken, notPlayed } = kitOf(ended)
    t.is(held, attacks.length)
    t.true(held > 40)
    t.is(broken, 0)
    t.true(notPlayed.includes('event log of another boot'))
  },
)

test.serial(
  'under a policy that looks at the boot all of it is played, and told as a table',
  async t => {
    await activate('2', join('test', 'attack', 'policy.yaml'))
    const ended = await assay(['attack'])
    t.is(ended.status, 0, ended.stderr)
    t.regex(
      ended.stdout,
      /^event log of another boot +eventlog-pcr-differs +eventlog-pcr-differs /m,
    )
    t.regex(ended.stdout, /(\d+) of \1 attacks were refused/)
    t.regex(ended.stdout, /\n1 were not played, since .*\n  SoftHSM where software is not let in\n/)
    t.false(ended.stdout.includes('BROKEN'))
  },
)

test.serial(
  'attacks are chosen by what stands in their names, and a text in none is refused',
  async t => {
    const some = await assay(['attack', '--json', '--only', 'HSM attestation'])
    t.is(some.status, 0, some.stderr)
    const { attacks } = kitOf(some)
    t.true(attacks.length > 3)
    t.true(attacks.every(({ name }) => name.includes('HSM attestation')))
    const none = await assay(['attack', '--only', 'no such attack'])
    t.is(none.status, 2)
    t.is(none.code, 'usage-malformed')
    const unplayed = await assay(['attack', '--json', '--only', 'SoftHSM'])
    t.is(unplayed.status, 1)
    t.is(kitOf(unplayed).notPlayed.length, 1)
  },
)

test.serial('what the kit made is revoked and retired when it is through', async t => {
  const { hosts } = (await assay(['host', 'list', '--json'])).json() as unknown as {
    hosts: { status: string }[]
  }
  t.true(hosts.length > 60)
  t.true(hosts.every(({ status }) => status === 'revoked'))
})

test.serial('a service that refuses everybody is found out: the command fails', async t => {
  const file = join(directory, 'nobody.yaml')
  const form = {
    name: 'nobody',
    assurance: [],
    pcrs: { sha256: [7] },
    validitySeconds: 60,
    rules: [],
  }
  await writeFile(file, JSON.stringify(form))
  await activate('3', file)
  const ended = await assay(['attack', '--json'])
  t.is(ended.status, 1)
  t.true(kitOf(ended).broken > 40)
})

test.serial('a home without an operator plays nothing', async t => {
  const ended = await assay(['attack'], { home: 'nobody' })
  t.is(ended.status, 1)
  t.is(ended.code, 'home-empty')
})
