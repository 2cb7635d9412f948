import test from 'ava'
import { EvidenceError } from '../../../src/core/verifier/error.ts'
import { parseEventLog } from '../../../src/core/eventlog/event-log.ts'
import { EVENT_TYPE } from '../../../src/core/eventlog/event-type.ts'
import { findEventLog, verifyNamedEventLog } from '../../../src/core/eventlog/named-log.ts'
import type { QuotedBank } from '../../../src/core/eventlog/quote.ts'
import { replayEventLog } from '../../../src/core/eventlog/replay.ts'
import { verifyEventLog, VerifiedEventLog } from '../../../src/core/eventlog/verify.ts'
import { parseUserspaceLog } from '../../../src/core/eventlog/userspace-log.ts'
import { EventLog } from '../../../src/core/eventlog/event-log.ts'
import {
  bankIds,
  digestOf,
  headerRecord,
  legacyRecord,
  makeEventLog,
  quoteOf,
  requote,
  specIdData,
  type BankName,
  type MadeEvent,
} from '../../../swtpm/emulated/event-log.ts'
import {
  action,
  exits,
  grubBoot,
  quotedPcrs,
  separator,
  unifiedBoot,
} from '../../../swtpm/emulated/boot-events.ts'

const boot = grubBoot()
const log = parseEventLog(makeEventLog(boot))
const quote = quoteOf(boot, quotedPcrs)

function logOf(events: readonly MadeEvent[], banks: readonly BankName[] = ['sha256']): EventLog {
  return parseEventLog(makeEventLog(events, banks))
}

function userspace(...events: readonly object[]): ReturnType<typeof parseUserspaceLog> {
  const text = events.map(event => `\u001E${JSON.stringify(event)}\n`).join('')
  return parseUserspaceLog(Buffer.from(text))
}

function measured(pcr: number, text: string): object {
  const digest = Buffer.from(digestOf('sha256', Buffer.from(text))).toString('hex')
  return { pcr, digests: [{ hashAlg: 'sha256', digest }], content: { string: text } }
}

test('a log that leads to every quoted value is accepted, in each bank', t => {
  for (const bank of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
    const verified = verifyEventLog(logOf(boot, [bank]), [quoteOf(boot, quotedPcrs, { bank })])
    t.is(verified.bank.name, bank)
    t.true(verified.pcrs.every(({ by }) => by === 'log'))
    t.true(verified.checks.every(({ outcome }) => outcome === 'pass'))
    t.deepEqual(verified.quirks, [])
    t.true(verified.isProven(7))
    t.false(verified.isProven(10))
  }
})

test('facts are drawn from the strongest of several quoted banks', t => {
  const banks = (['sha384', 'sha256'] as const).map(bank => quoteOf(boot, quotedPcrs, { bank }))
  t.is(verifyEventLog(logOf(boot, ['sha256', 'sha384']), banks).bank.name, 'sha384')
})

test('only verifyEventLog makes a verified log, and only parseEventLog a log', t => {
  t.throws(() => Reflect.construct(VerifiedEventLog, [Symbol('seal'), {}]), {
    instanceOf: TypeError,
  })
  t.throws(() => Reflect.construct(EventLog, [Symbol('seal'), new Uint8Array(0), {}, {}]), {
    instanceOf: TypeError,
  })
})

test('any quoted value that differs is refused, and the refusal has every check that ran', t => {
  for (const pcr of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14]) {
    const altered = requote(quote, pcr, Buffer.alloc(32, 7))
    const error = t.throws<EvidenceError>(() => verifyEventLog(log, [altered]), {
      instanceOf: EvidenceError,
      code: 'eventlog-pcr-differs',
    })
    t.is(error.checks.at(-1)?.outcome, 'fail')
    t.true(error.checks.length > 1)
  }
})

test('a PCR without events must hold what it begins with', t => {
  const short = boot.filter(({ pcr }) => pcr !== 8)
  const code = 'eventlog-pcr-differs'
  t.notThrows(() => verifyEventLog(logOf(short), [quoteOf(short, quotedPcrs)]))
  t.throws(() => verifyEventLog(logOf(short), [quote]), { code })
})

test('PCRs of a dynamic launch begin with ones', t => {
  const values = replayEventLog(log).banks.get('sha256')?.values
  t.deepEqual(Buffer.from(values?.[17] ?? []), Buffer.alloc(32, 0xff))
  t.deepEqual(Buffer.from(values?.[16] ?? []), Buffer.alloc(32))
})

test('the startup locality is the last byte that PCR 0 begins with', t => {
  const data = Buffer.from('StartupLocality\0\u0003')
  const events = [{ pcr: 0, type: EVENT_TYPE.NO_ACTION, data }, ...boot]
  t.notThrows(() => verifyEventLog(logOf(events), [quoteOf(events, [0, 7], { locality: 3 })]))
  const code = 'eventlog-pcr-differs'
  t.throws(() => verifyEventLog(logOf(events), [quoteOf(events, [0, 7])]), { code })
})

test('an H-CRTM event means that PCR 0 began with 4', t => {
  const event = { pcr: 0, type: EVENT_TYPE.EFI_HCRTM_EVENT, data: Buffer.from('HCRTM') }
  const events = [event, ...boot]
  t.notThrows(() => verifyEventLog(logOf(events), [quoteOf(events, [0], { locality: 4 })]))
})

test('a quoted bank that the log does not have is refused', t => {
  const other = quoteOf(boot, quotedPcrs, { bank: 'sha384' })
  t.throws(() => verifyEventLog(log, [quote, other]), { code: 'eventlog-bank-missing' })
})

test('a bank that the firmware never extended is refused, though the log has it', t => {
  const two = logOf(boot, ['sha256', 'sha384'])
  const untouched: QuotedBank = {
    bank: 'sha384',
    values: new Map([0, 1, 2, 3, 4, 5, 6, 7].map(pcr => [pcr, Buffer.alloc(48)])),
  }
  const code = 'eventlog-bank-not-extended'
  t.throws(() => verifyEventLog(two, [untouched]), { code })
  const started = requote(untouched, 0, Buffer.concat([Buffer.alloc(47), Uint8Array.of(3)]))
  t.throws(() => verifyEventLog(two, [started]), { code })
})

test('a bank that an event has no digest of cannot be verified, only the others can', t => {
  const digests = [[bankIds.sha256, digestOf('sha256', Buffer.from('later'))]] as const
  const event = { pcr: 11, type: EVENT_TYPE.EVENT_TAG, data: Buffer.from('later'), digests }
  const events = [...boot, event]
  const two = logOf(events, ['sha1', 'sha256'])
  t.notThrows(() => verifyEventLog(two, [quoteOf(events, quotedPcrs)]))
  const sha1 = quoteOf(boot, quotedPcrs, { bank: 'sha1' })
  t.throws(() => verifyEventLog(two, [sha1]), { code: 'eventlog-bank-unverifiable' })
})

test('a bank that the operating system closed with zeros is refused as that', t => {
  const value = quote.values.get(7) ?? new Uint8Array(0)
  const capped = digestOf('sha256', Buffer.concat([value, Buffer.alloc(32)]))
  t.throws(() => verifyEventLog(log, [requote(quote, 7, capped)]), { code: 'eventlog-bank-capped' })
})

test('values are compared at their full width', t => {
  const value = quote.values.get(7) ?? new Uint8Array(0)
  for (const wrong of [
    value.subarray(1),
    Buffer.concat([Buffer.alloc(1), value]),
    value.subarray(0, 20),
  ])
    t.throws(() => verifyEventLog(log, [requote(quote, 7, wrong)]), { code: 'eventlog-pcr-width' })
})

test('a missing end of boot services is explained only by the quirk of that name, and recorded', t => {
  const short = boot.filter(({ pcr, data }) => pcr !== 5 || !Buffer.from(data).includes('Exit'))
  const code = 'eventlog-quirk'
  t.throws(() => verifyEventLog(logOf(short), [quote]), { code })
  const quirks = ['exit-boot-services-missing'] as const
  t.deepEqual(verifyEventLog(logOf(short), [quote], { quirks }).quirks, [...quirks])
  t.deepEqual(verifyEventLog(log, [quote], { quirks }).quirks, [])
})

test('the quirk explains nothing else', t => {
  const quirks = ['exit-boot-services-missing'] as const
  const twice = requote(quote, 5, exits)
  t.throws(() => verifyEventLog(log, [twice], { quirks }), { code: 'eventlog-pcr-differs' })
  const elsewhere = requote(quote, 4, exits)
  t.throws(() => verifyEventLog(log, [elsewhere], { quirks }), { code: 'eventlog-pcr-differs' })
})

test('what the running system extends may stay unexplained, is marked so, and is not proven', t => {
  const uki = unifiedBoot()
  const later = requote(quoteOf(uki, quotedPcrs), 11, ['something'])
  const verified = verifyEventLog(logOf(uki), [later])
  t.deepEqual(
    verified.pcrs.filter(({ by }) => by === 'unexplained').map(({ pcr }) => pcr),
    [11],
  )
  t.false(verified.isProven(11))
  const code = 'eventlog-pcr-unexplained'
  t.throws(() => verifyEventLog(logOf(uki), [later], { required: [11] }), { code })
})

test('the phases of systemd explain PCR 11, in their order and from the beginning', t => {
  const uki = unifiedBoot()
  const known = [
    ['enter-initrd'],
    ['enter-initrd', 'leave-initrd', 'sysinit', 'ready'],
    ['sysinit', 'ready'],
  ]
  for (const words of known) {
    const later = requote(quoteOf(uki, quotedPcrs), 11, words)
    const verified = verifyEventLog(logOf(uki), [later], { required: [11] })
    t.deepEqual(
      verified.pcrs.find(({ pcr }) => pcr === 11),
      { bank: 'sha256', pcr: 11, by: 'words', words },
    )
    t.true(verified.isProven(11))
  }
  for (const words of [['ready'], ['ready', 'sysinit'], ['sysinit', 'sysinit']]) {
    const later = requote(quoteOf(uki, quotedPcrs), 11, words)
    const code = 'eventlog-pcr-unexplained'
    t.throws(() => verifyEventLog(logOf(uki), [later], { required: [11] }), { code })
  }
})

test('the separator of systemd may follow in PCRs of the firmware, and nothing else may', t => {
  const separated = requote(quote, 7, ['os-separator'])
  t.true(verifyEventLog(log, [separated]).isProven(7))
  const code = 'eventlog-pcr-differs'
  t.throws(() => verifyEventLog(log, [requote(quote, 7, ['os-separator', 'x'])]), { code })
  t.throws(() => verifyEventLog(log, [requote(quote, 8, ['os-separator'])]), { code })
})

test("systemd's own log explains what it measured, and only what is in it", t => {
  const events = userspace(measured(15, 'machine-id:x'), measured(15, 'file-system:/'))
  const later = requote(quoteOf(boot, [7, 15]), 15, ['machine-id:x', 'file-system:/'])
  t.false(verifyEventLog(log, [later]).isProven(15))
  const verified = verifyEventLog(log, [later], { userspace: events, required: [15] })
  t.true(verified.isProven(15))
  t.is(verified.startValues('sha256', 15).length, 2)
  t.deepEqual(verified.startValues('sha384', 15), [])
  const less = { userspace: events.slice(0, 1), required: [15] }
  t.throws(() => verifyEventLog(log, [later], less), { code: 'eventlog-pcr-unexplained' })
  const other = requote(quoteOf(boot, [7, 15], { bank: 'sha384' }), 15, ['machine-id:x'])
  const rules = { userspace: events, required: [15] }
  const code = 'eventlog-pcr-unexplained'
  t.throws(() => verifyEventLog(logOf(boot, ['sha384']), [other], rules), { code })
})

test('one log alone must explain the quote: that of another boot is refused, and the right one named', t => {
  const boots = [0, 1, 2, 3, 4].map(n => [...boot, action(5, `boot ${n}`)])
  const logs = boots.map(events => logOf(events))
  const last = quoteOf(boots[4] ?? [], quotedPcrs)
  t.is(findEventLog(logs, [last]), 4)
  t.notThrows(() => verifyNamedEventLog(logs, 4, [last]))
  const error = t.throws<EvidenceError>(() => verifyNamedEventLog(logs, 0, [last]), {
    instanceOf: EvidenceError,
    code: 'eventlog-another-boot',
  })
  t.is(error.expected, 'log 4')
  const mixed = requote(last, 7, Buffer.alloc(32, 1))
  t.is(findEventLog(logs, [mixed]), undefined)
  t.throws(() => verifyNamedEventLog(logs, 0, [mixed]), { code: 'eventlog-pcr-differs' })
  t.throws(() => verifyNamedEventLog(logs, 5, [last]), { instanceOf: TypeError })
  const narrow = requote(last, 7, Buffer.alloc(20))
  t.throws(() => verifyNamedEventLog(logs, 0, [narrow]), { code: 'eventlog-pcr-width' })
})

test('a CCEL among logs is a bug of the caller', t => {
  const ccel = parseEventLog(headerRecord(specIdData([[0xc, 48]]), { pcr: 1 }), { isCcel: true })
  t.throws(() => findEventLog([ccel], [quote]), { instanceOf: TypeError })
})

test('a bank without a known hash is not replayed', t => {
  const parsed = parseEventLog(headerRecord(specIdData([[0x12, 32]])))
  t.is(replayEventLog(parsed).banks.size, 0)
  t.throws(() => verifyEventLog(parsed, [quote]), { code: 'eventlog-bank-missing' })
})

test('the SHA-1 log of a TPM 1.2 can be verified where it was allowed', t => {
  const events = [separator(0), separator(4)]
  const legacy = Buffer.concat(events.map(event => legacyRecord(event)))
  const parsed = parseEventLog(legacy, { allowLegacy: true })
  const verified = verifyEventLog(parsed, [quoteOf(events, [0, 4], { bank: 'sha1' })])
  t.is(verified.bank.name, 'sha1')
})

test('a CCEL is replayed into registers, and never held against PCRs', t => {
  const header = headerRecord(specIdData([[0xc, 48]]), { pcr: 1 })
  const ccel = parseEventLog(header, { isCcel: true })
  t.deepEqual(
    Buffer.from(replayEventLog(ccel).banks.get('sha384')?.values[17] ?? []),
    Buffer.alloc(48),
  )
  t.throws(() => verifyEventLog(ccel, [quote]), { instanceOf: TypeError })
})

test('a quote of no bank is a bug of the caller', t => {
  t.throws(() => verifyEventLog(log, []), { instanceOf: TypeError })
})

test('a log of the running system that cannot be read is refused', t => {
  const digest = 'ab'.repeat(32)
  const wrong: (string | Uint8Array)[] = [
    'text',
    '\u001E{',
    '\u001Enull',
    `\u001E${JSON.stringify({ pcr: 24, digests: [] })}`,
    `\u001E${JSON.stringify({ pcr: 11 })}`,
    `\u001E${JSON.stringify({ pcr: 11, digests: [{ hashAlg: 'sha256', digest: 'ab' }] })}`,
    `\u001E${JSON.stringify({ pcr: 11, digests: [{ hashAlg: 1, digest }] })}`,
    `\u001E${JSON.stringify({ pcr: 11, digests: [null] })}`,
    `\u001E${JSON.stringify({
      pcr: 11,
      digests: [
        { hashAlg: 'sha256', digest },
        { hashAlg: 'sha256', digest },
      ],
    })}`,
    '\u001E{}'.repeat(5000),
    Uint8Array.of(0x1e, 0xff),
    new Uint8Array(1024 * 1024 + 1),
  ]
  for (const text of wrong)
    t.throws(() => parseUserspaceLog(Buffer.from(text)), { code: 'eventlog-userspace-log' })
})

test('measurements into NV indices and unknown banks are read past', t => {
  const events = userspace(
    { nv_index: 1, digests: [] },
    { pcr: 11, digests: [{ hashAlg: 'sm3_256', digest: 'aa' }], content: {} },
  )
  t.is(events.length, 1)
  t.is(events[0]?.digests.size, 0)
  t.is(events[0]?.text, undefined)
})
