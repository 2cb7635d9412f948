import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { AttesterError } from '../../src/attester/error.ts'
import { eventLogPaths, loadEventLogs } from '../../src/attester/event-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'event-log-'))
test.after.always(() => rmSync(folder, { recursive: true }))

const firmware = join(folder, 'firmware')
const ima = join(folder, 'ima')
const absent = join(folder, 'absent')
const log = Buffer.alloc(200_000, 'an event ')
writeFileSync(firmware, log)
writeFileSync(ima, 'measurements')

test('reads a log longer than one chunk, and a short one', async t => {
  const logs = await loadEventLogs({ firmware, ima })
  t.true(log.equals(logs.firmware ?? Buffer.alloc(0)))
  t.is(Buffer.from(logs.ima ?? []).toString(), 'measurements')
})

test('reads a file that says it is empty, as those of the kernel do', async t => {
  const { firmware: status } = await loadEventLogs({ firmware: '/proc/self/status', ima: absent })
  t.regex(Buffer.from(status ?? []).toString(), /^Name:/)
})

test('finds nothing wrong with logs that are not there', async t => {
  const inFile = join(firmware, 'below-a-file')
  t.deepEqual(await loadEventLogs({ firmware: absent, ima: inFile }), {
    firmware: undefined,
    ima: undefined,
  })
})

test('looks where Linux shows them, and takes what there is', async t => {
  t.regex(eventLogPaths.firmware, /^\/sys\/kernel\/security\/tpm0\//)
  await t.notThrowsAsync(loadEventLogs())
})

test('refuses a log that is longer than the limit, and takes one that is as long', async t => {
  const paths = { firmware, ima: absent }
  const error = await t.throwsAsync(loadEventLogs(paths, log.length - 1), {
    instanceOf: AttesterError,
  })
  t.is(error.code, 'event-log-too-large')
  t.is((await loadEventLogs(paths, log.length)).firmware?.length, log.length)
})

test('does not hide any other failure', async t => {
  const directory = join(folder, 'directory')
  mkdirSync(directory)
  const attempt = loadEventLogs({ firmware: directory, ima: absent })
  t.is((await t.throwsAsync<NodeJS.ErrnoException>(attempt)).code, 'EISDIR')
})
