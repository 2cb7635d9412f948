import test from 'ava'
import { EVENT_TYPE } from '../../../src/core/eventlog/event-type.ts'
import type { MadeEvent } from '../../../swtpm/emulated/event-log.ts'
import {
  action,
  calling,
  exits,
  file,
  image,
  separator,
} from '../../../swtpm/emulated/boot-events.ts'
import { boot, factsOf, failed, without } from './boot-facts-fixtures.ts'

const isAction = (text: string) => (event: MadeEvent) =>
  event.type === EVENT_TYPE.EFI_ACTION && Buffer.from(event.data).toString() === text

test('PCRs 0 to 7 have one separator each', t => {
  for (const pcr of [0, 1, 2, 3, 4, 5, 6, 7]) {
    const isOwn = (event: MadeEvent): boolean =>
      event.pcr === pcr && event.type === EVENT_TYPE.SEPARATOR
    t.true(failed(factsOf(without(boot, isOwn))).includes('eventlog-separators'))
    const twice = failed(factsOf([...boot, separator(pcr)]))
    t.true(twice.includes('eventlog-separators'))
    const ones = boot.map(event => (isOwn(event) ? separator(pcr, 0xffff_ffff) : event))
    t.deepEqual(failed(factsOf(ones)), [])
    const error = boot.map(event => (isOwn(event) ? separator(pcr, 1) : event))
    t.true(failed(factsOf(error)).includes('eventlog-error-separator'))
    const unknown = boot.map(event => (isOwn(event) ? separator(pcr, 2) : event))
    t.true(failed(factsOf(unknown)).includes('eventlog-separators'))
  }
})

test('a breach names its first events and counts the others', t => {
  const late = Array.from({ length: 12 }, (_, i) => file('late', `late ${i}`, 0))
  const check = factsOf([...boot, ...late]).checks.find(({ outcome }) => outcome === 'fail')
  t.regex(check?.found ?? '', /^events (\d+, ){7}\d+ and 4 more$/)
})

test('nothing follows the separators of PCRs 0 to 3', t => {
  for (const pcr of [0, 1, 2, 3])
    t.deepEqual(failed(factsOf([...boot, file('late', 'late', pcr)])), ['eventlog-after-separator'])
  t.deepEqual(failed(factsOf([...boot, file('late', 'late', 6)])), [])
})

test('a boot loader is started only after the firmware says so', t => {
  t.deepEqual(failed(factsOf(without(boot, isAction(calling)))), ['eventlog-boot-order'])
  const early = [image('\\early.efi', 'early'), ...boot]
  const facts = factsOf(early)
  t.deepEqual(failed(facts), ['eventlog-boot-order'])
  t.is(facts.images[0]?.isBootOption, false)
})

test('boot services end with their invocation and its success', t => {
  const [invocation = '', success = ''] = exits
  const failure = action(5, 'Exit Boot Services Returned with Failure')
  const isFirst = (event: MadeEvent): boolean => isAction(invocation)(event)
  t.deepEqual(failed(factsOf(without(boot, isAction(success)))), ['eventlog-exit-boot-services'])
  t.deepEqual(failed(factsOf(without(boot, isFirst))), ['eventlog-exit-boot-services'])
  t.deepEqual(failed(factsOf([...boot, failure])), ['eventlog-exit-boot-services'])
  const again = [...boot.slice(0, -2), failure, ...boot.slice(-2)]
  t.deepEqual(failed(factsOf(again)), [])
})
