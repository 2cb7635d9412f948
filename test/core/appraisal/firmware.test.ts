import test from 'ava'
import { readFileSync } from 'node:fs'
import { assert, bigInt, property } from 'fast-check'
import {
  advisoriesFor,
  parseFirmwareAdvisories,
} from '../../../src/core/appraisal/firmware-advisory.ts'
import {
  formatFirmwareVersion,
  parseFirmwareVersion,
} from '../../../src/core/appraisal/firmware-version.ts'
import { advisory } from './fixtures.ts'

const table = readFileSync(new URL('../../../ca/firmware-advisories.json', import.meta.url), 'utf8')
const code = 'advisories-malformed'

test('a version is written as manufacturers write theirs', t => {
  t.is(formatFirmwareVersion(0x0007_0055_11cb_0000n), '7.85.4555')
  t.is(formatFirmwareVersion(0x0007_0002_0003_0001n), '7.2.3.1')
  t.is(formatFirmwareVersion(0x0049_0000_0000_0000n), '73.0')
  t.is(formatFirmwareVersion(0n), '0.0')
})

test('a version is read back as it was written', t => {
  const isSame = property(
    bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    version => parseFirmwareVersion(formatFirmwareVersion(version)) === version,
  )
  t.notThrows(() => assert(isSame))
})

test('what is no version is not guessed', t => {
  for (const text of ['', 'x', '1.', '.1', '1.2.3.4.5', '65536', '1.65536', '-1', '1 .2'])
    t.is(parseFirmwareVersion(text), undefined)
  t.is(parseFirmwareVersion('7'), 0x0007_0000_0000_0000n)
})

test('a range holds its ends and everything of its last version', t => {
  const affected = (version: string): number =>
    advisoriesFor([advisory], 'id:49465800', parseFirmwareVersion(version) ?? 0n).length
  for (const version of ['7.0', '7.0.0.1', '7.61', '7.61.65535.65535', '7.40.1'])
    t.is(affected(version), 1, version)
  for (const version of ['6.65535', '7.62', '8.0', '0.0']) t.is(affected(version), 0, version)
})

test('an advisory of another vendor does not apply', t => {
  t.deepEqual(advisoriesFor([advisory], 'id:53544D20', 0x0007_0000_0000_0000n), [])
})

test('the table that comes with the service is read, each row with its reference', t => {
  const rows = parseFirmwareAdvisories(table)
  t.true(rows.length >= 7)
  const ids = new Set(rows.map(row => row.id))
  const roca = advisoriesFor(rows, 'id:49465800', parseFirmwareVersion('7.40.2098') ?? 0n)
  t.deepEqual(
    roca.map(row => row.id),
    ['CVE-2017-15361'],
  )
  t.deepEqual(advisoriesFor(rows, 'id:49465800', parseFirmwareVersion('7.85') ?? 0n), [])
  const st = advisoriesFor(rows, 'id:53544D20', parseFirmwareVersion('73.4.17568') ?? 0n)
  t.deepEqual(
    st.map(row => row.id),
    ['CVE-2019-16863'],
  )
  t.deepEqual(advisoriesFor(rows, 'id:53544D20', parseFirmwareVersion('73.20') ?? 0n), [])
  const { notInTable } = JSON.parse(table) as {
    notInTable: { id: string; why: string; reference: string }[]
  }
  for (const row of notInTable) {
    t.false(ids.has(row.id))
    t.true(row.why.length > 20 && row.reference.startsWith('https://'))
  }
})

test('software TPMs, which tell their build date as version, match no advisory', t => {
  const rows = parseFirmwareAdvisories(table)
  t.deepEqual(advisoriesFor(rows, 'id:00001014', 0x2019_1023_0016_3636n), [])
})

const wrongRows: Readonly<Record<string, object>> = {
  'no id': { ...advisory, id: '' },
  'a reference that is no https URL': { ...advisory, reference: 'http://example.org/' },
  'a vendor that is no id': { ...advisory, vendor: 'IFX' },
  'no versions': { ...advisory, versions: [] },
  'a range the wrong way round': { ...advisory, versions: [{ from: '2.0', to: '1.0' }] },
  'a range without an end': { ...advisory, versions: [{ from: '2.0' }] },
}

for (const [name, row] of Object.entries(wrongRows)) {
  test(`refuses a row with ${name}, by its number`, t => {
    const json = JSON.stringify({ advisories: [advisory, row] })
    const error = t.throws(() => parseFirmwareAdvisories(json), { code })
    t.is((error as unknown as { found: string }).found, 'row 2')
  })
}

test('refuses a table that is none', t => {
  for (const json of ['', '[]', '{}', '{"advisories":{}}', '{"advisories":[1]}'])
    t.throws(() => parseFirmwareAdvisories(json), { code })
})
