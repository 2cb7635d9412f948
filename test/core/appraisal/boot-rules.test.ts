import test from 'ava'
import { appraiseRule } from '../../../src/core/appraisal/rule-table.ts'
import { EVENT_TYPE } from '../../../src/core/eventlog/event-type.ts'
import {
  commandLine,
  exits,
  file,
  grub,
  grubBoot,
  image,
  section,
  separator,
  tagged,
  unifiedBoot,
  wide,
} from '../../../swtpm/emulated/boot-events.ts'
import { bootedSubject } from './boot-fixtures.ts'
import {
  afterCalling,
  type Case,
  db,
  fails,
  files,
  grubFiles,
  grubLine,
  grubWith,
  holds,
  images,
  isVariable,
  kernel,
  line,
  log,
  off,
  on,
  shimOnly,
  signed,
  stranger,
  without,
} from './boot-rule-cases.ts'

const cases: readonly Case[] = [
  holds('a log in order that explains the quote', log, grubBoot()),
  fails('no log', log, undefined, /no event log/),
  fails(
    'a quote without a PCR of the firmware',
    log,
    grubBoot(),
    /PCR 1, 2, 3, 5, 6 is not/,
    [0, 4, 7],
  ),
  fails(
    'a PCR that must be explained and was not quoted',
    { ...log, explain: [4, 9] },
    grubBoot(),
    /PCR 9 is not/,
    [0, 4, 7],
  ),
  fails(
    'two separators in one PCR',
    log,
    [...grubBoot(), separator(4)],
    /eventlog-separators \(PCRs 4\)/,
  ),
  holds(
    'two separators in one PCR where that is tolerated',
    { ...log, tolerate: ['eventlog-separators'] },
    [...grubBoot(), separator(4)],
  ),
  fails(
    'the mark of a firmware that failed, which nothing tolerates',
    { ...log, tolerate: ['eventlog-separators'] },
    [...grubBoot(), separator(4, 1)],
    /eventlog-error-separator/,
  ),
  fails(
    'boot services that never ended',
    log,
    without(grubBoot(), ({ data }) => exits.includes(Buffer.from(data).toString())),
    /eventlog-exit-boot-services/,
  ),

  holds('Secure Boot that is on', on, grubBoot()),
  fails('Secure Boot that is off', on, off, /^off$/),
  fails('Secure Boot that was not measured', on, without(grubBoot(), isVariable), /not proven/),
  fails('Secure Boot without a log', on, undefined, /no event log/),
  fails('Secure Boot without a quote of PCR 7', on, grubBoot(), /PCR 7 is not/, [0, 4]),

  holds('a database with what is required', db({ require: ['ca-vendor'] }), grubBoot()),
  holds('a database with nothing but what is named', db({ only: ['ca-vendor'] }), grubBoot()),
  holds('a database without what is forbidden', db({ forbid: ['ca-platform'] }), grubBoot()),
  holds(
    'a list of what is revoked that is long enough',
    db({ database: 'dbx', require: ['revoked-1', 'revoked-2'] }),
    grubBoot(),
  ),
  fails('a database without', db({ require: ['ca-platform'] }), grubBoot(), /no ca-platform/),
  fails('a database with another', db({ only: ['ca-platform'] }), grubBoot(), /x509 .* beside/),
  fails('a database with', db({ forbid: ['ca-vendor'] }), grubBoot(), /ca-vendor is there/),
  fails(
    'a list of what is revoked that lacks something',
    db({ database: 'dbx', require: ['revoked-1', 'revoked-3'] }),
    grubBoot(),
    /no revoked-3/,
  ),
  fails(
    'a database that was not measured, though nothing is required of it',
    db({ forbid: ['ca-platform'] }),
    without(grubBoot(), isVariable),
    /db is not proven/,
  ),

  holds('images signed by those named', signed('ca-vendor', 'ca-distribution'), grubBoot()),
  fails('an image signed by another', signed('ca-vendor'), grubBoot(), /x509 .* of shim Shim/),
  fails('images under Secure Boot that is off', signed('ca-vendor', 'ca-distribution'), off, /on/),
  fails(
    'an image said to be signed by what no database holds',
    signed('ca-vendor', 'ca-distribution'),
    [...grubBoot(), stranger],
    /of no database/,
  ),
  fails('images that nothing verified', signed('ca-vendor'), shimOnly, /nothing was verified/),

  holds('programs that are all named', images(['shim', 'grub']), grubBoot()),
  holds('programs of which the last is the one named', images(['shim'], ['grub']), grubBoot()),
  holds('a unified kernel image alone', images(['uki']), unifiedBoot()),
  fails('a program that is not named', images(['shim', 'uki']), grubBoot(), /grubx64\.efi/),
  fails(
    'a program whose place the log does not tell',
    images(['uki']),
    afterCalling([{ ...image('\\evil.efi', 'evil'), data: Buffer.alloc(8) }]),
    /^[0-9a-f]{64}, [0-9a-f]{64} at last$/,
  ),
  fails('programs in another order', images(['shim', 'grub'], ['shim']), grubBoot(), /at last/),
  fails(
    'a program disguised as another kind of event',
    images(['uki']),
    afterCalling([{ ...image('\\evil.efi', 'evil'), type: EVENT_TYPE.EVENT_TAG }]),
    /./,
  ),
  fails(
    'a boot that started nothing',
    images(['uki']),
    without(unifiedBoot(), ({ pcr, type }) => pcr === 4 && type !== EVENT_TYPE.SEPARATOR),
    /nothing at last/,
  ),

  holds('files that are all named', files(...grubFiles), grubBoot()),
  fails('a file that is not named', files('initrd'), grubBoot(), /grub\.cfg/),
  fails(
    'a file without a name',
    files(...grubFiles),
    [...grubBoot(), { ...file('x', 'evil'), data: Buffer.alloc(2000, 0xff) }],
    /^[0-9a-f]{64}$/,
  ),
  fails('no file', files(...grubFiles), unifiedBoot(), /no file was measured/),

  holds('a command line of allowed words', line, unifiedBoot()),
  holds('a command line of GRUB', grubLine, grubWith('/vmlinuz root=/dev/vda ro')),
  fails('a word that is not allowed', { ...line, allow: ['quiet'] }, unifiedBoot(), /^“splash”$/),
  fails(
    'a word of any length',
    line,
    afterCalling([commandLine(`x=${'y'.repeat(400)}`)]),
    /^“x=y{115}…”$/,
  ),
  fails(
    'a second command line',
    line,
    afterCalling([commandLine('init=/bin/sh')]),
    /init=\/bin\/sh/,
  ),
  fails(
    'a command passed off as the line, and a line passed off as a command',
    grubLine,
    [...grubWith('/vmlinuz root=/dev/vda ro'), grub('grub_cmd: ', 'linux /vmlinuz init=/bin/sh')],
    /init=/,
  ),
  fails(
    'a line without what is required',
    { ...line, require: ['lockdown=integrity'] },
    unifiedBoot(),
    /without lockdown=integrity/,
  ),
  fails(
    'a required parameter with another value beside it',
    { ...grubLine, allow: ['/vmlinuz', 'ima-policy=*'], require: ['ima_policy=tcb'] },
    grubWith('/vmlinuz ima_policy=tcb "ima-policy=none"'),
    /another value beside it/,
  ),
  fails(
    'a character that only the kernel takes for a blank',
    { ...grubLine, allow: ['*'] },
    grubWith('/vmlinuz root=/dev/vda\u00a0init=/bin/sh ro'),
    /not printable ASCII/,
  ),
  fails(
    'what is no text in PCR 8',
    grubLine,
    [...grubWith('/vmlinuz root=/dev/vda ro'), file('module', 'content', 8)],
    /in PCR 8 is no text/,
  ),
  fails('another line inside the image', { ...line, embedded: [] }, unifiedBoot(), /\.cmdline/),
  fails('an add-on of nobody', { ...line, parameters: [] }, unifiedBoot(), /parameter [0-9a-f]/),
  fails(
    'something else than sections in PCR 11',
    line,
    afterCalling([file('odd', 'odd', 11)]),
    /PCR 11 holds something else/,
  ),
  fails(
    'a boot that shows no line',
    line,
    without(unifiedBoot(), ({ pcr }) => pcr >= 8 && pcr <= 13),
    /no command line was measured/,
  ),
  holds(
    'a line that the image alone carries',
    line,
    without(unifiedBoot(), ({ pcr }) => pcr === 12),
  ),

  holds(
    'an image of named sections',
    kernel({ '.linux': ['kernel'], '.initrd': ['initrd'], '.cmdline': ['quiet'] }),
    unifiedBoot(),
  ),
  holds(
    'sections beside the named ones',
    kernel({ '.linux': ['kernel'] }, 'accept'),
    unifiedBoot(),
  ),
  fails('sections beside', kernel({ '.linux': ['kernel'] }), unifiedBoot(), /\.cmdline [0-9a-f]/),
  fails(
    'another kernel',
    kernel({ '.linux': ['initrd'] }, 'accept'),
    unifiedBoot(),
    /\.linux [0-9a-f]/,
  ),
  fails(
    'a second section of a name with another content',
    kernel({ '.linux': ['kernel'] }, 'accept'),
    afterCalling(section('.linux', 'evil')),
    /\.linux [0-9a-f]/,
  ),
  fails(
    'a section that is missing',
    kernel({ '.ucode': ['kernel'] }, 'accept'),
    unifiedBoot(),
    /no \.ucode/,
  ),
  fails('no unified kernel image', kernel({ '.linux': ['kernel'] }), grubBoot(), /PCR 11/),
  fails(
    'an event between sections',
    kernel({ '.linux': ['kernel'] }, 'accept'),
    afterCalling([tagged(11, 1, wide('x\0'), 'x')]),
    /something else than sections/,
  ),
]

for (const { name, rule, events, pcrs, outcome, found } of cases) {
  const verb = outcome === 'affirming' ? 'affirms' : 'refuses'
  test(`${rule.kind} ${verb} ${name}`, t => {
    const finding = appraiseRule(rule, bootedSubject(events, [rule], pcrs))
    t.is(finding.outcome, outcome, finding.found)
    if (found !== undefined) t.regex(finding.found ?? '', found)
  })
}

test('a deviation of firmware is refused by every rule about the boot that does not allow it by name', t => {
  const unlogged = without(grubBoot(), ({ data }) => exits.includes(Buffer.from(data).toString()))
  const subject = bootedSubject(unlogged, [on])
  if (subject.boot === undefined) throw new TypeError('a log has facts')
  const quirks = ['exit-boot-services-missing'] as const
  const boot = { ...subject.boot, quirks }
  const refused = appraiseRule(on, { ...subject, boot })
  t.is(refused.outcome, 'contraindicated')
  t.regex(refused.found ?? '', /exit-boot-services-missing/)
  const policy = { ...subject.policy, rules: [on, { ...log, quirks }] }
  t.is(appraiseRule(on, { ...subject, boot, policy }).outcome, 'affirming')
})
