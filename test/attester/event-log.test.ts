import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { eventLogPathsOf, loadEventLogs } from '../../src/attester/event-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'event-log-'))
test.after.always(() => rmSync(folder, { recursive: true }))

function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const log = Buffer.alloc(200_000, 'an event ')
const firmware = file('firmware', log)
const ima = file('ima', 'measurements')
const absent = join(folder, 'absent')

test('reads a log longer than one chunk, and a short one', async t => {
  const logs = await loadEventLogs({ firmware, ima })
  t.true(log.equals(logs.firmware ?? Buffer.alloc(0)))
  t.is(Buffer.from(logs.ima ?? []).toString(), 'measurements')
  t.deepEqual(logs.notes, [])
})

test('reads a file that says it is empty, as those of the kernel do', async t => {
  const logs = await loadEventLogs({ firmware: '/proc/self/status', ima: undefined })
  t.regex(Buffer.from(logs.firmware ?? []).toString(), /^Name:/)
})

test('finds nothing wrong with logs that are not there', async t => {
  const none = { firmware: undefined, ima: undefined, notes: [] }
  const inFile = join(firmware, 'below-a-file')
  t.deepEqual(await loadEventLogs({ firmware: absent, ima: inFile }), none)
  t.deepEqual(await loadEventLogs(undefined), none)
})

test('leaves out a log that is longer than the service takes, says so, and takes one that is as long', async t => {
  const longest = 1024 * 1024
  const paths = { firmware: file('long', Buffer.alloc(longest + 1)), ima: undefined }
  const logs = await loadEventLogs(paths)
  t.is(logs.firmware, undefined)
  t.is(logs.notes.length, 1)
  const fitting = { firmware: file('fitting', Buffer.alloc(longest)), ima: undefined }
  t.is((await loadEventLogs(fitting)).firmware?.length, longest)
})

test('takes a longer list of IMA than log of the firmware', async t => {
  const path = file('list', Buffer.alloc(4 * 1024 * 1024))
  const logs = await loadEventLogs({ firmware: path, ima: path })
  t.is(logs.firmware, undefined)
  t.is(logs.ima?.length, 4 * 1024 * 1024)
})

test('does not hide any other failure', async t => {
  const directory = join(folder, 'directory')
  mkdirSync(directory)
  const attempt = loadEventLogs({ firmware: directory, ima: undefined })
  t.is((await t.throwsAsync<NodeJS.ErrnoException>(attempt)).code, 'EISDIR')
})

test('looks where Linux shows the logs of this very TPM', t => {
  const first = {
    firmware: '/sys/kernel/security/tpm0/binary_bios_measurements',
    ima: '/sys/kernel/security/ima/binary_runtime_measurements',
  }
  t.deepEqual(eventLogPathsOf('device:/dev/tpmrm0'), first)
  t.deepEqual(eventLogPathsOf('device:/dev/tpm0'), first)
  t.deepEqual(eventLogPathsOf('device:/dev/tpmrm1'), {
    firmware: '/sys/kernel/security/tpm1/binary_bios_measurements',
    ima: undefined,
  })
})

test('knows no logs of a TPM that is not a device of this kernel', t => {
  for (const tcti of [
    'swtpm:path=/dev/tpmrm0',
    'tabrmd:',
    'device:/dev/tpmrm0/../x',
    'device:/dev/tpm',
    'device:/home/tpmrm0',
  ]) {
    t.is(eventLogPathsOf(tcti), undefined)
  }
})
