import { openSqliteStore } from '../../src/storage/sqlite-store.ts'

/**
 * Appends entries from many callers at once and prints each as soon as it is acknowledged, until a refusal or its
 * death. Arguments: database, log key (hex).
 */
const [path = '', key = ''] = process.argv.slice(2)
const logKey = Buffer.from(key, 'hex')
const store = await openSqliteStore({ path, logOrigin: 'log.example/assay', logKey })
const run = `${process.pid}-${Date.now()}`

const print = (line: string): boolean => process.stdout.write(`${line}\n`)
const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'uncoded'

let next = 0
let isRefused = false

async function caller(): Promise<void> {
  while (!isRefused) {
    const subject = `${run}-${(next += 1)}`
    const detail = { padding: 'x'.repeat(300) }
    try {
      await store.audit.append({ type: 'test', time: 1, actor: 'service', subject, detail })
      print(`done ${subject}`)
    } catch (error) {
      isRefused = true
      print(`refused ${codeOf(error)}`)
    }
  }
}

await Promise.all(Array.from({ length: 32 }, caller))
await store.ping().then(
  () => print('later done'),
  error => print(`later refused ${codeOf(error)}`),
)
