import test from 'ava'
import { createStage } from './cli-fixtures.ts'

const stage = await createStage()
const { assay, issuer } = stage
await assay(['init', '--issuer', issuer, '--allow-emulated'])
await stage.serve()
test.after.always(async () => await stage.close())

const digest = '5e'.repeat(32)

async function rows(): Promise<Record<string, unknown>[]> {
  const listed = await assay(['endorsement', 'list', '--json'])
  return (listed.json() as Record<string, Record<string, unknown>[]>)['endorsements'] ?? []
}

test.serial('list of a service that no such machine has come to says so', async t => {
  const listed = await assay(['endorsement', 'list'])
  t.is(listed.status, 0, listed.stderr)
  t.regex(listed.stdout, /^No machine without endorsement certificate has come yet\.$/m)
  t.deepEqual(await rows(), [])
})

test.serial('add lists a key by its digest, which is not kept', async t => {
  const short = await assay(['endorsement', 'add', digest.slice(2)])
  t.is(short.status, 2)
  t.is(short.code, 'usage-malformed')
  const taken = await assay(['endorsement', 'add', `sha256:${digest}`, '--json'])
  t.is(taken.status, 0, taken.stderr)
  t.like(taken.json(), { status: 'listed', hostName: null })
  t.false(taken.stdout.includes(digest))
  t.like(await rows(), [{ status: 'listed' }])
  t.is((await rows()).length, 1)
  const again = await assay(['endorsement', 'add', digest])
  t.is(again.status, 0, again.stderr)
  t.is((await rows()).length, 1)
})

test.serial(
  'approve wants the digest of the very key; refuse takes back what was listed',
  async t => {
    const id = String((await rows())[0]?.['id'])
    const other = await assay(['endorsement', 'approve', id, '--digest', '00'.repeat(32)])
    t.is(other.status, 1)
    t.is(other.code, 'endorsement-differs')
    const refused = await assay(['endorsement', 'refuse', id, '--json'])
    t.like(refused.json(), { id, status: 'refused' })
    const approved = await assay(['endorsement', 'approve', id, '--digest', digest])
    t.is(approved.status, 0, approved.stderr)
    t.regex((await assay(['endorsement', 'list'])).stdout, new RegExp(`^${id} +approved`, 'm'))
  },
)

test.serial('a key that nobody has seen is neither approved nor refused', async t => {
  const refused = await assay(['endorsement', 'refuse', 'nobody'])
  t.is(refused.status, 1)
  t.is(refused.code, 'endorsement-unknown')
})
