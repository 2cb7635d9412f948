import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'

const runner = join(import.meta.dirname, '..', 'clients', 'run.ts')

test('every client that others wrote gets through', async t => {
  const flags = ['--disable-warning=ExperimentalWarning', runner]
  const { stdout } = await promisify(execFile)(process.execPath, flags, { timeout: 300_000 })
  t.regex(stdout, /^[1-9]\d* passed, 0 failed$/m)
  t.notRegex(stdout, /^FAILED/m)
})
