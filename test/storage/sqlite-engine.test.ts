import test, { type ExecutionContext } from 'ava'
import type { DatabaseSync } from 'node:sqlite'
import { encodeAuditEntry } from '../../src/core/log/audit-entry.ts'
import type { Signer } from '../../src/ports/signer.ts'
import { createEmbeddedLogSigner } from '../../src/storage/log-signer.ts'
import { LogWriter } from '../../src/storage/log-writer.ts'
import { openSqliteDatabase } from '../../src/storage/sqlite-database.ts'
import { SqliteEngine, type Call } from '../../src/storage/sqlite-engine.ts'
import { createFolder, entry, logKey, logOrigin, now } from './fixtures.ts'

const signer = createEmbeddedLogSigner(logKey)

const append = (subject: string): Call => [
  'appendEntry',
  encodeAuditEntry({ ...entry('test'), subject }),
]

/** The database with one statement that fails as often as it is told to. */
function failing(
  database: DatabaseSync,
  statement: string,
): { database: DatabaseSync; times: number } {
  const fault = { database, times: 0 }
  fault.database = new Proxy(database, {
    get: (target, name) => {
      if (name !== 'exec') {
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      }
      return (sql: string): void => {
        if (sql === statement && fault.times-- > 0)
          throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
        target.exec(sql)
      }
    },
  })
  return fault
}

async function openEngine(
  t: ExecutionContext,
  options: { path?: string; signer?: Signer; statement?: string } = {},
): Promise<{ engine: SqliteEngine; database: DatabaseSync; fault: { times: number } }> {
  const database = await openSqliteDatabase(options.path ?? ':memory:')
  t.teardown(() => database.isOpen && database.close())
  const fault = failing(database, options.statement ?? 'commit')
  const log = new LogWriter(logOrigin, options.signer ?? signer)
  return { engine: await SqliteEngine.load(fault.database, log), database, fault }
}

async function checkpointOf(engine: SqliteEngine): Promise<string> {
  const [outcome] = await engine.run([['findLogState']])
  return outcome !== undefined && 'answer' in outcome
    ? (outcome.answer as { checkpoint: string }).checkpoint
    : ''
}

test('a batch whose commit fails is refused as a whole and leaves no leaf in the tree', async t => {
  const [broken, sound] = [await openEngine(t), await openEngine(t)]
  for (const { engine } of [broken, sound]) await engine.run([append('1'), append('2')])
  broken.fault.times = 1
  const refused = broken.engine.run([append('phantom'), append('phantom')])
  await t.throwsAsync(refused, { code: 'store-unavailable' })
  t.is(await checkpointOf(broken.engine), await checkpointOf(sound.engine))
  for (const { engine } of [broken, sound]) await engine.run([append('3')])
  t.is(await checkpointOf(broken.engine), await checkpointOf(sound.engine))
})

test('a batch is refused when it can neither commit nor roll back, and so is everything after', async t => {
  const { engine, database, fault } = await openEngine(t, { statement: 'begin immediate' })
  await engine.run([append('1')])
  fault.times = 2
  for (let n = 0; n < 2; n += 1)
    await t.throwsAsync(engine.run([append('lost')]), { code: 'store-unavailable' })
  database.close()
  await t.throwsAsync(engine.run([append('lost')]), { code: 'store-unavailable' })
})

test('a full disk refuses the batch that did not fit; with room again the log goes on', async t => {
  const { engine, database } = await openEngine(t, { path: `${createFolder(t)}/assay.db` })
  await engine.run([append('1')])
  const before = await checkpointOf(engine)
  const pages = Number(database.prepare('pragma page_count').get()?.['page_count'])
  database.exec(`pragma max_page_count = ${pages + 2}`)
  const large = append('x'.repeat(60_000))
  await t.throwsAsync(engine.run([append('small'), large]), { code: 'store-unavailable' })
  t.is(await checkpointOf(engine), before)
  database.exec('pragma max_page_count = 1000000')
  await engine.run([large])
  t.is((await checkpointOf(engine)).split('\n')[1], '2')
})

test('nothing is committed when the checkpoint cannot be signed', async t => {
  let isDown = false
  const remote: Signer = {
    ...signer,
    sign: async message => {
      if (isDown) throw new Error('no HSM')
      return await Promise.resolve(signer.sign(message))
    },
  }
  const { engine } = await openEngine(t, { signer: remote })
  await engine.run([append('1')])
  const before = await checkpointOf(engine)
  isDown = true
  await t.throwsAsync(engine.run([append('2')]), { code: 'store-unavailable' })
  isDown = false
  t.is(await checkpointOf(engine), before)
  await engine.run([append('2')])
  t.is((await checkpointOf(engine)).split('\n')[1], '2')
})

test('one checkpoint is signed for a batch, none for a batch without entries', async t => {
  let signatures = 0
  const counting: Signer = {
    ...signer,
    sign: message => {
      signatures += 1
      return signer.sign(message)
    },
  }
  const { engine } = await openEngine(t, { signer: counting })
  t.is(signatures, 1)
  await engine.run([append('1'), append('2'), append('3')])
  t.is(signatures, 2)
  await engine.run([['findHost', 'x'], ['writeHealth'], ['sweepSome', now]])
  t.is(signatures, 2)
})

test('an operation that fails after it wrote vanishes alone', async t => {
  const { engine, database } = await openEngine(t)
  const operator = {
    id: 'o',
    name: 'Ada',
    role: 'auditor',
    key_protection: 'file',
    jkt: 'j1',
    status: 'active',
    created_at: now,
    created_by: 'service',
    audiences: '[]',
  }
  const key = {
    jkt: 'j1',
    kind: 'operator',
    subject_id: 'o',
    jwk: '{}',
    retired: 0,
    proven_at: null,
  }
  const add = (jwk: unknown, row = operator): Call => [
    'addOperator',
    row,
    { ...key, jkt: row.jkt, subject_id: row.id, jwk },
    'x',
  ]
  const outcomes = await engine.run([
    append('1'),
    add(null),
    add('{}', { ...operator, id: 'p', jkt: 'j2' }),
    append('2'),
  ])
  t.like(outcomes[1], { refused: 'store-conflict' })
  t.like(outcomes[2], { answer: 'done' })
  t.deepEqual(
    database
      .prepare('select id from operators')
      .all()
      .map(row => row['id']),
    ['p'],
  )
  t.is((await checkpointOf(engine)).split('\n')[1], '3')
})
