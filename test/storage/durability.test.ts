import test, { type ExecutionContext } from 'ava'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { parseAuditEntry } from '../../src/core/log/audit-entry.ts'
import { verifierOfPrivateKey } from '../../src/core/log/note-key.ts'
import { parseTilePath } from '../../src/core/log/tile-path.ts'
import { verifyLog } from '../../src/core/log/verify-log.ts'
import { createFolder, entry, logKey, logOrigin, openStore } from './fixtures.ts'

const writer = new URL('acknowledging-writer.ts', import.meta.url).pathname

interface Run {
  /** Subjects whose entries the process said were durable. */
  readonly acknowledged: Set<string>
  readonly lines: readonly string[]
}

/** Runs the writer until it ends, or is killed without warning after so many lines. */
async function runWriter(
  path: string,
  options: { killAfter?: number; maxBlocks?: number },
): Promise<Run> {
  const key = Buffer.from(logKey).toString('hex')
  const limit = options.maxBlocks === undefined ? '' : `ulimit -f ${options.maxBlocks};`
  const child = spawn(
    'bash',
    ['-c', `${limit} exec "$0" "$@"`, process.execPath, writer, path, key],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const lines: string[] = []
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    if (lines.length === options.killAfter) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  const acknowledged = lines.filter(line => line.startsWith('done ')).map(line => line.slice(5))
  return { acknowledged: new Set(acknowledged), lines }
}

/** Every entry there is, once the whole tree has been recomputed. */
async function subjectsOf(t: ExecutionContext, path: string): Promise<Set<string>> {
  const store = await openStore(t, { path })
  const subjects = new Set<string>()
  await verifyLog({
    verifier: verifierOfPrivateKey(logOrigin, logKey),
    read: async name => {
      if (name === 'checkpoint') return Buffer.from(await store.audit.checkpoint())
      const { level, index, width } = parseTilePath(name)
      return level === 'entries'
        ? await store.audit.entryBundle(index, width)
        : await store.audit.tile(level, index, width)
    },
    onEntry: bytes => subjects.add(parseAuditEntry(bytes).subject),
  })
  await store.audit.append(entry('test'))
  await store.close()
  return subjects
}

function lost(acknowledged: Set<string>, found: Set<string>): string[] {
  return [...acknowledged].filter(subject => !found.has(subject))
}

test('what was acknowledged is there after kill -9, and tree and entries agree', async t => {
  const path = `${createFolder(t)}/assay.db`
  for (const killAfter of [1, 700, 3_000]) {
    const { acknowledged } = await runWriter(path, { killAfter })
    t.true(acknowledged.size >= killAfter)
    const subjects = await subjectsOf(t, path)
    t.deepEqual(lost(acknowledged, subjects), [])
  }
})

test('when the disk gives out every caller is refused, and what was acknowledged before is there', async t => {
  const path = `${createFolder(t)}/assay.db`
  const { acknowledged, lines } = await runWriter(path, { maxBlocks: 2_000 })
  t.true(acknowledged.size > 0)
  t.deepEqual(
    new Set(lines.filter(line => !line.startsWith('done '))),
    new Set(['refused store-unavailable', 'later refused store-unavailable']),
  )
  const subjects = await subjectsOf(t, path)
  t.deepEqual(lost(acknowledged, subjects), [])
})
