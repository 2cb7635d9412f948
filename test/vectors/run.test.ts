import test from 'ava'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasVectors } from '../support/vectors.ts'
import { makeEventLog, quoteOf } from '../../swtpm/emulated/event-log.ts'
import { grubBoot } from '../../swtpm/emulated/boot-events.ts'
import { failedIn, linesOf } from './report.ts'
import { runVectors } from './run.ts'

const runner = join(import.meta.dirname, 'run.ts')
const boot = grubBoot()
const bytes = makeEventLog(boot)
const pcrs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14]

/** A folder of the same form as the vectors', which the test removes when it ends. */
function folderOf(
  t: { teardown(remove: () => void): void },
  entries: readonly object[],
  files: Readonly<Record<string, Uint8Array>> = { 'log.bin': bytes },
): string {
  const folder = mkdtempSync(join(tmpdir(), 'vectors-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(entries))
  return folder
}

function entryOf(change: object = {}): object {
  const { values } = quoteOf(boot, pcrs)
  const hex = [...values].map(([pcr, value]) => [pcr, Buffer.from(value).toString('hex')])
  return {
    file: 'log.bin',
    kind: 'event-log',
    verdict: 'accept',
    why: 'made here',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    pcrs: { sha256: Object.fromEntries(hex) as Record<string, string> },
    banks: ['sha256'],
    events: boot.length,
    ...change,
  }
}

test('a folder whose files come out as its manifest says has no difference', async t => {
  const reports = await runVectors(folderOf(t, [entryOf()]))
  t.is(failedIn(reports), 0)
  t.is(reports[0]?.accepted, 15)
  t.is(linesOf(reports).at(-1), '15 passed, 0 failed')
})

test('each thing that is not as the manifest says is a difference by its name', async t => {
  const wrong: [object, RegExp][] = [
    [{ verdict: 'refuse' }, /log\.bin by default: expected refuse, found accept/],
    [{ events: 1 }, /number of events: expected accept, found refuse/],
    [{ pcrs: { sha256: { 0: '00' } } }, /sha256 PCR 0: expected accept, found refuse/],
    [{ kind: 'unknown' }, /log\.bin: no module knows this kind/],
    [{ kind: 'report' }, /log\.bin: no module knows this kind/],
    [{ kind: '../x' }, /log\.bin: no module knows this kind/],
    [{ sha256: '00' }, /log\.bin: has the digest [0-9a-f]{64}, not that of the manifest/],
    [{ file: 'gone.bin' }, /gone\.bin: cannot be read/],
    [{ file: '../log.bin' }, /\.\.\/log\.bin: lies outside the folder/],
    [{ kind: 'tss2-key', verdict: 'suite' }, /log\.bin: nothing was checked/],
  ]
  for (const [change, line] of wrong) {
    const reports = await runVectors(folderOf(t, [entryOf(change)]))
    t.true(failedIn(reports) > 0)
    t.regex(linesOf(reports).join('\n'), line)
  }
})

test('a check that fails itself is a difference, and the others go on', async t => {
  const broken = Buffer.from('no log at all')
  const sha256 = createHash('sha256').update(broken).digest('hex')
  const entries = [entryOf({ file: 'broken.bin', sha256, banks: null }), entryOf()]
  const folder = folderOf(t, entries, { 'log.bin': bytes, 'broken.bin': broken })
  const reports = await runVectors(folder)
  t.regex(linesOf(reports).join('\n'), /broken\.bin: the check itself failed: EventLogError/)
  t.is(reports[0]?.accepted, 15)
})

test('a manifest that is none is refused', async t => {
  const wrong = [{}, [null], [{ file: 'x' }], [entryOf({ verdict: 'maybe' })]]
  for (const manifest of wrong) {
    const folder = folderOf(t, manifest as readonly object[])
    await t.throwsAsync(runVectors(folder), { message: /manifest\.json/ })
  }
})

test('the command exits with 1 where anything differs, with 0 otherwise', t => {
  const arguments_ = ['--disable-warning=ExperimentalWarning', runner]
  const output = execFileSync(process.execPath, [...arguments_, folderOf(t, [entryOf()])])
  t.regex(output.toString(), /15 passed, 0 failed\n$/)
  const folder = folderOf(t, [entryOf({ events: 1 })])
  const { status, stdout } = spawnSync(process.execPath, [...arguments_, folder])
  t.is(status, 1)
  t.regex(stdout.toString(), /14 passed, 1 failed\n$/)
})

test('a folder that is not there is said in one line, and passes', t => {
  const folder = join(tmpdir(), 'there are no vectors here')
  t.false(hasVectors(folder))
  const { status, stdout } = spawnSync(process.execPath, [runner, folder])
  t.is(status, 0)
  t.is(stdout.toString().split('\n').length, 2)
})
