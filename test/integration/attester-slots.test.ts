import test from 'ava'
import { Tpm, type TpmHandle } from '../../native/index.ts'
import { releaseResident, withResident, withSlots } from '../../src/attester/slots.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { census, empty, primary, templates } from './native-fixtures.ts'

const bench = await startTestBench()
const tpm = await Tpm.open(bench.tcti)
test.after.always(async () => {
  await tpm.close()
  await bench.stop()
})

/** Loads a key, and counts how often. */
function loader(): { load: () => Promise<TpmHandle>; count: () => number } {
  let loads = 0
  const load = async (): Promise<TpmHandle> => {
    loads += 1
    return await primary(tpm, templates.signingKey)
  }
  return { load, count: () => loads }
}

const use = async (handle: TpmHandle): Promise<number> =>
  (await tpm.readPublic(handle)).public.length

async function transient(): Promise<number> {
  return (await census(tpm)).transient
}

test.serial('lets a hundred procedures of three slots each take turns', async t => {
  const work = async (): Promise<number> => {
    const held = await Promise.all(
      [1, 2, 3].map(async () => await primary(tpm, templates.signingKey)),
    )
    const seen = await transient()
    for (const handle of held) await tpm.flush(handle)
    return seen
  }
  const seen = await Promise.all(
    Array.from({ length: 100 }, async () => await withSlots(tpm, work)),
  )
  t.deepEqual(new Set(seen), new Set([3]))
})

test.serial('takes turns also between two connections to one TPM', async t => {
  await using other = await Tpm.open(bench.tcti)
  const work = (at: Tpm) => async () => {
    const held = await Promise.all(
      [1, 2, 3].map(async () => await primary(at, templates.signingKey)),
    )
    for (const handle of held) await at.flush(handle)
  }
  const both = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? tpm : other))
  await t.notThrowsAsync(Promise.all(both.map(async at => await withSlots(at, work(at)))))
})

test.serial('goes on after a procedure that failed', async t => {
  const failing = withSlots(tpm, async () => await Promise.reject(new Error('mine')))
  const next = withSlots(tpm, async () => await Promise.resolve('done'))
  await t.throwsAsync(failing, { message: 'mine' })
  t.is(await next, 'done')
})

test.serial('keeps the object of one owner loaded, and that of no other', async t => {
  const [one, other] = [loader(), loader()]
  const [owner, stranger] = [{}, {}]
  for (let i = 0; i < 3; i += 1) await withResident(tpm, owner, one.load, use)
  t.is(one.count(), 1)
  t.is(await transient(), 1)
  await withResident(tpm, stranger, other.load, use)
  t.is(await transient(), 1)
  await withResident(tpm, owner, one.load, use)
  t.is(one.count(), 2)
  await releaseResident(tpm, stranger)
  t.is(await transient(), 1)
  await releaseResident(tpm, owner)
  t.deepEqual(await census(tpm), empty)
})

test.serial('makes room for a procedure', async t => {
  const { load, count } = loader()
  const owner = {}
  await withResident(tpm, owner, load, use)
  t.is(await withSlots(tpm, transient), 0)
  await withResident(tpm, owner, load, use)
  t.is(count(), 2)
  await releaseResident(tpm, owner)
})

test.serial(
  'lets go of an object whose use failed, and tries an object of before only once more',
  async t => {
    const { load, count } = loader()
    const owner = {}
    const failing = async (): Promise<never> => await Promise.reject(new Error('mine'))
    await t.throwsAsync(withResident(tpm, owner, load, failing), { message: 'mine' })
    t.is(await transient(), 0)
    await withResident(tpm, owner, load, use)
    await t.throwsAsync(withResident(tpm, owner, load, failing), { message: 'mine' })
    t.is(count(), 2)
    await withResident(tpm, owner, load, use)
    await bench.reset()
    let uses = 0
    await withResident(tpm, owner, load, async handle => {
      uses += 1
      return await use(handle)
    })
    t.is(uses, 2)
    await releaseResident(tpm, owner)
    t.deepEqual(await census(tpm), empty)
  },
)

test.serial('forgets an object that cannot be loaded', async t => {
  const owner = {}
  const failing = async (): Promise<never> => await Promise.reject(new Error('mine'))
  await t.throwsAsync(withResident(tpm, owner, failing, use), { message: 'mine' })
  const { load } = loader()
  await t.notThrowsAsync(withResident(tpm, owner, load, use))
  await releaseResident(tpm, owner)
})

test.serial('is not held up by a connection that was closed with its object', async t => {
  const closing = await Tpm.open(bench.tcti)
  await withResident(
    closing,
    {},
    async () => await primary(closing, templates.signingKey),
    async () => await Promise.resolve(),
  )
  await closing.close()
  t.is(await withSlots(tpm, transient), 0)
})
