import test from 'ava'
import { explainBoot, explainIma } from '../../../src/core/appraisal/explain-boot.ts'
import { verdictBoot, verdictIma } from '../../../src/core/appraisal/verdict-boot.ts'
import { EVENT_TYPE } from '../../../src/core/eventlog/event-type.ts'
import {
  commandLine,
  exits,
  file,
  grubBoot,
  unifiedBoot,
} from '../../../swtpm/emulated/boot-events.ts'
import { fileEntry } from '../../../swtpm/emulated/ima-list.ts'
import { factsOf, listedSubject, sha256 } from './boot-fixtures.ts'

const told = (...parts: Parameters<typeof factsOf>): string =>
  explainBoot(verdictBoot(factsOf(...parts))).join('\n')

test('a boot by shim and GRUB is told in plain words', t => {
  const text = told(grubBoot())
  t.regex(text, /^boot {8}Secure Boot on; entries: PK 1, KEK 1, db 1, dbx 2$/m)
  t.regex(text, /firmware calls itself “Firmware 1\.2”/)
  t.regex(text, /signed by [0-9a-f]{64} of db/)
  t.true(text.includes(`started ${sha256('shim')} (said to be \\EFI\\shimx64.efi)`))
  t.true(text.includes(`file ${sha256('configuration')} (said to be /grub/grub.cfg)`))
  t.regex(text, /command line “\/vmlinuz root=\/dev\/vda ro”/)
  t.regex(text, /PCRs that the log explains: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14$/)
})

test('a boot of a unified kernel image is told by its sections', t => {
  const text = told(unifiedBoot())
  t.true(text.includes(`section ${sha256('kernel')} (said to be .linux)`))
  t.regex(text, /command line “quiet splash”/)
})

test('what is not proven, missing or deviates is told as such', t => {
  const events = grubBoot().filter(
    ({ pcr, type, data }) =>
      !(pcr === 7 && type === EVENT_TYPE.EFI_VARIABLE_DRIVER_CONFIG) &&
      !exits.includes(Buffer.from(data).toString()) &&
      type !== EVENT_TYPE.S_CRTM_VERSION,
  )
  const text = told(events)
  t.regex(text, /Secure Boot not proven$/m)
  t.regex(text, /does not show that the firmware let go/)
  t.false(text.includes('calls itself'))
  const odd = { ...verdictBoot(factsOf(events)), secureBoot: false, unexplainedPcrs: [10, 12] }
  const lines = explainBoot({ ...odd, quirks: ['exit-boot-services-missing'] }).join('\n')
  t.regex(lines, /Secure Boot off/)
  t.regex(lines, /deviation of the firmware: exit-boot-services-missing/)
  t.regex(lines, /; open: 10, 12$/)
  t.regex(explainBoot(undefined).join(), /no event log/)
})

test('a verdict keeps a bounded excerpt of what a log holds', t => {
  const lines = Array.from({ length: 40 }, (_, i) => commandLine(`${i} ${'x'.repeat(2000)}`))
  const nameless = { ...file('x', 'evil'), data: Buffer.alloc(2000, 0xff) }
  const boot = verdictBoot(factsOf([...unifiedBoot(), ...lines, nameless]))
  t.is(boot.commandLines.total, 41)
  t.is(boot.commandLines.first.length, 8)
  t.true(boot.commandLines.first.every(text => text.length <= 400))
  t.deepEqual(boot.files.first, [{ digest: sha256('evil'), hint: null }])
  const text = explainBoot(boot).join('\n')
  t.regex(text, /command line: 33 more/)
  t.regex(text, new RegExp(`file ${sha256('evil')}$`, 'm'))
  t.true(JSON.stringify(boot).length < 16_000)
})

test('a list of IMA is told in numbers', t => {
  const rule = {
    kind: 'ima',
    id: 'ima',
    allowLists: [],
    accept: [],
    keys: [],
    exclude: [],
    buffers: {},
    maxViolations: 0,
    templateHash: 'bank',
  } as const
  const { ima } = listedSubject([fileEntry('/a'), fileEntry('/b')], rule)
  if (ima === undefined) throw new TypeError('a list has facts')
  t.deepEqual(explainIma(verdictIma(ima)), [
    'IMA         3 entries of this boot, 0 after the quote',
    '            2 refused, 0 violations',
  ])
  t.regex(explainIma({ ...verdictIma(ima), bootAggregate: 'unproven' })[0] ?? '', /not proven/)
  t.deepEqual(explainIma(undefined), [])
})
