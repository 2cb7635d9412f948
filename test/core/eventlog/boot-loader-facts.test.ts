import test from 'ava'
import { EVENT_TYPE } from '../../../src/core/eventlog/event-type.ts'
import {
  commandLine,
  file,
  grub,
  quotedPcrs,
  tagged,
  unifiedBoot,
  wide,
} from '../../../swtpm/emulated/boot-events.ts'
import { boot, factsOf, sha256, without } from './boot-facts-fixtures.ts'

test('commands, command lines, files and keys of the boot loader', t => {
  const { commands, commandLines, files, machineOwnerKeys, unknown } = factsOf(boot).bootLoader
  t.deepEqual(
    commands.map(({ text, binding }) => [text, binding]),
    [
      ['linux /vmlinuz root=/dev/vda ro', 'text'],
      ['/vmlinuz root=/dev/vda ro', 'text'],
    ],
  )
  t.deepEqual([...new Set(commandLines.map(({ text }) => text))], ['/vmlinuz root=/dev/vda ro'])
  t.deepEqual(
    files.map(({ digest, nameHint }) => [digest, nameHint]),
    [
      [sha256('configuration'), '/grub/grub.cfg'],
      [sha256('initrd'), 'Linux initrd'],
    ],
  )
  t.deepEqual(
    machineOwnerKeys.map(({ digest }) => digest),
    [sha256('machine owner keys')],
  )
  t.deepEqual(unknown, [])
})

test('a command line counts as one under any label', t => {
  const bad = '/vmlinuz init=/bin/sh'
  for (const label of [
    'grub_cmd: ',
    'module_cmdline: ',
    'kernel_cmdline: ',
    'grub_kernel_cmdline ',
    'grub_cmd ',
  ]) {
    const { commandLines } = factsOf([...boot, grub(label, bad)]).bootLoader
    t.true(commandLines.some(({ text }) => text === bad))
    const command = factsOf([...boot, grub(label, `linuxefi  ${bad}`)]).bootLoader
    t.true(command.commandLines.some(({ text }) => text === bad))
  }
  const echo = factsOf([...boot, grub('grub_cmd: ', 'echo hello')]).bootLoader
  t.is(echo.commands.length, 3)
  t.is(echo.commandLines.length, 2)
})

test('a text is one with or without its zero byte, and as older versions of the loaders log it', t => {
  const text = 'root=/dev/vda'
  const zero = { ...grub('grub_cmd ', 'set x=1'), measured: Buffer.from('set x=1\0') }
  t.is(factsOf([...boot, zero]).bootLoader.commands.at(-1)?.text, 'set x=1')
  const whole = wide(`${text}\0`)
  const short = { pcr: 8, type: EVENT_TYPE.IPL, data: whole.subarray(0, -1), measured: whole }
  t.is(factsOf([...boot, short]).bootLoader.commandLines.at(-1)?.text, text)
  const bare = { ...commandLine(text), measured: wide(text) }
  t.is(factsOf([...boot, bare]).bootLoader.commandLines.at(-1)?.text, text)
})

test('a text that its digest is not of is unknown content', t => {
  const changed = { ...grub('grub_cmd: ', 'good'), measured: Buffer.from('bad') }
  const { unknown, commands } = factsOf([...boot, changed]).bootLoader
  t.deepEqual(
    unknown.map(({ digest }) => digest),
    [sha256('bad')],
  )
  t.is(commands.length, 2)
  const parameter = { ...commandLine('good'), measured: wide('bad\0') }
  t.is(factsOf([...boot, parameter]).unifiedKernel?.parameters.length, 1)
})

test('sections of a unified kernel image, in pairs of name and content', t => {
  const { unifiedKernel, bootLoader } = factsOf(unifiedBoot())
  t.deepEqual(
    unifiedKernel?.sections.map(({ name, digest }) => [name, digest]),
    [
      ['.linux', sha256('kernel')],
      ['.cmdline', sha256('quiet')],
      ['.initrd', sha256('initrd')],
    ],
  )
  t.true(unifiedKernel?.isComplete)
  t.deepEqual(
    unifiedKernel?.parameters.map(({ tag, description, digest }) => [tag, description, digest]),
    [[0x49df_fe0f, 'addon', sha256('addon')]],
  )
  t.deepEqual(
    bootLoader.commandLines.map(({ text }) => text),
    ['quiet splash'],
  )
})

test('anything else in PCR 11 leaves the image incomplete', t => {
  const uki = unifiedBoot()
  const [, ...rest] = uki.filter(({ pcr }) => pcr === 11)
  const others = without(uki, ({ pcr }) => pcr === 11)
  for (const events of [
    [...uki, file('stray', 'stray', 11)],
    [...others, ...rest],
    uki.slice(0, uki.findIndex(({ pcr }) => pcr === 11) + 1),
  ])
    t.false(factsOf(events).unifiedKernel?.isComplete)
})

test('descriptions that cannot be read are left out', t => {
  const odd = {
    pcr: 13,
    type: EVENT_TYPE.EVENT_TAG,
    data: Buffer.alloc(3),
    measured: Buffer.from('x'),
  }
  t.deepEqual(
    factsOf([...boot, odd], [...quotedPcrs, 13]).unifiedKernel?.parameters.map(
      ({ tag, description }) => [tag, description],
    ),
    [[undefined, undefined]],
  )
  const events = [
    ...boot,
    tagged(9, 0x8f3b_22ed, Buffer.from('LOADED_IMAGE::LoadOptions\0'), 'options'),
    tagged(9, 1, new Uint8Array(0), 'unknown'),
    { ...file('x', 'large'), data: Buffer.alloc(2048, 'x') },
  ]
  const { files } = factsOf(events).bootLoader
  t.deepEqual(
    files.slice(-3).map(({ nameHint }) => nameHint),
    ['LOADED_IMAGE::LoadOptions', undefined, undefined],
  )
})
