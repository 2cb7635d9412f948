import test from 'ava'
import { hash } from 'node:crypto'
import { appraiseImaList } from '../../../src/core/ima/appraise.ts'
import { parseImaList } from '../../../src/core/ima/list.ts'
import { matchesPath } from '../../../src/core/ima/path-pattern.ts'
import { verifyImaList } from '../../../src/core/ima/verify.ts'
import {
  aggregateEntry,
  bufferEntry,
  digestField,
  entryOf,
  fileEntry,
  makeImaList,
  violationEntry,
  withIma,
} from '../../../swtpm/emulated/ima-list.ts'
import { appraise, base, codes } from './appraise-fixtures.ts'

test('a file is allowed by its path and digest, or by its digest alone, and by nothing less', t => {
  const entry = fileEntry('/bin/sh', 'shell')
  const digest = hash('sha256', 'shell')
  t.is(appraise([entry], { files: { '/bin/sh': ['00'.repeat(32), digest] } }).listed, 1)
  t.is(appraise([entry], { digests: new Set([digest]) }).listed, 1)
  for (const rules of [
    {},
    { files: { '/bin/sh': [] } },
    { files: { '/bin/dash': [digest] } },
    { files: { '/bin/sh': [digest.toUpperCase()] } },
    { digests: new Set(['00'.repeat(32)]) },
    { files: { '/bin/sh': [`sha512:${digest}`] } },
  ]) {
    const appraisal = appraise([entry], rules)
    t.deepEqual(codes(appraisal), ['ima-file'])
    t.is(appraisal.refusals[0]?.name, '/bin/sh')
  }
})

test('names of the language are no paths', t => {
  const entry = fileEntry('constructor', 'x')
  t.deepEqual(codes(appraise([entry], { files: {} })), ['ima-file'])
})

test('a digest of a verity tree is not that of the content', t => {
  const name = Buffer.from('/bin/sh\0')
  const entry = entryOf('ima-ngv2', [digestField('x', 'sha256', 'verity:'), name])
  const digest = hash('sha256', 'x')
  t.is(appraise([entry], { digests: new Set([digest]) }).refused, 1)
  t.is(appraise([entry], { digests: new Set([`verity:sha256:${digest}`]) }).listed, 1)
})

test('an excluded path is not looked at; a pattern that ends in a slash is a folder', t => {
  const entries = [fileEntry('/var/lib/x'), fileEntry('/tmp/y')]
  const appraisal = appraise(entries, { exclude: ['/var/', '/tmp/y'] })
  t.deepEqual([appraisal.excluded, appraisal.refused], [2, 0])
  t.is(appraise(entries, { exclude: ['/var'] }).refused, 2)
})

test('patterns mean what they say and nothing else', t => {
  t.true(matchesPath('/var/', '/var/x'))
  t.true(matchesPath('/bin/sh', '/bin/sh'))
  t.false(matchesPath('/var/', '/var'))
  t.false(matchesPath('/var/', '/usr/var/x'))
  t.false(matchesPath('/bin/s', '/bin/sh'))
  t.false(matchesPath('/var/', '/var/../bin/sh'))
  t.false(matchesPath('/var/', '/var/..'))
  t.true(matchesPath('/var/', '/var/..x'))
})

test('violations are refused, or put up with up to a number that was said', t => {
  const entries = [violationEntry('/a'), violationEntry('/b')]
  t.deepEqual(codes(appraise(entries, {})), ['ima-violations'])
  t.is(appraise(entries, {}).violations, 2)
  t.is(appraise(entries, { maxViolations: 1 }).refused, 1)
  t.is(appraise(entries, { maxViolations: 2 }).refused, 0)
})

test('a measured buffer is allowed by its name and content', t => {
  const buffer = Buffer.from('quiet')
  const entry = bufferEntry('kexec-cmdline', buffer)
  const buffers = { 'kexec-cmdline': [hash('sha256', buffer)] }
  t.is(appraise([entry], { buffers }).buffers, 1)
  t.deepEqual(codes(appraise([entry], {})), ['ima-buffer'])
  t.is(
    appraise([bufferEntry('kexec-cmdline', Buffer.from('init=/bin/sh'))], { buffers }).refused,
    1,
  )
  t.is(appraise([bufferEntry('.ima', buffer)], { buffers }).refused, 1)
  const lying = entryOf('ima-buf', [
    digestField('quiet'),
    Buffer.from('kexec-cmdline\0'),
    Buffer.from('evil'),
  ])
  t.is(appraise([lying], { buffers }).refused, 1)
  t.is(appraise([entry], { exclude: ['kexec-cmdline'] }).refused, 1)
})

test('all refused entries are counted, the first of them shown', t => {
  const entries = Array.from({ length: 30 }, (_, i) => fileEntry(`/file/${i}`))
  const appraisal = appraise([...entries, violationEntry('/v')], {})
  t.is(appraisal.refused, 31)
  t.is(appraisal.refusals.length, 16)
  t.is(appraisal.refusals[0]?.entry, 1)
})

test('what a quote does not cover is not appraised', t => {
  const made = [aggregateEntry(base), fileEntry('/a'), fileEntry('/b')]
  const quoted = [withIma(base, made.slice(0, 2))]
  const verified = verifyImaList(parseImaList(makeImaList(made)), { quoted, resetCount: 1 })
  t.is(appraiseImaList(verified, {}).refused, 1)
})
