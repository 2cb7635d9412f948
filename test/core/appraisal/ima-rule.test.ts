import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import test from 'ava'
import { encodeBase64url } from '../../../src/core/bytes/base64url.ts'
import type { PolicyDocument } from '../../../src/core/appraisal/policy.ts'
import { appraiseRule } from '../../../src/core/appraisal/rule-table.ts'
import type { ImaRule } from '../../../src/core/appraisal/rules/ima.ts'
import {
  bufferEntry,
  digestField,
  entryOf,
  fileEntry,
  violationEntry,
  type MadeEntry,
} from '../../../swtpm/emulated/ima-list.ts'
import { listedSubject, sha256 } from './boot-fixtures.ts'
import { subject } from './fixtures.ts'

const base: ImaRule = {
  kind: 'ima',
  id: 'ima',
  allowLists: ['system'],
  accept: [],
  keys: [],
  exclude: [],
  buffers: {},
  maxViolations: 0,
  templateHash: 'bank',
}
const allowLists: PolicyDocument['allowLists'] = {
  system: { '/bin/sh': [sha256('shell')], '/bin/ls': [sha256('list')] },
  more: { '/bin/sh': [sha256('newer shell')] },
}
const known = [fileEntry('/bin/sh', 'shell'), fileEntry('/bin/ls', 'list')]
const odd = fileEntry('/tmp/odd', 'odd')
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const spki = publicKey.export({ format: 'der', type: 'spki' })
const keyId = createHash('sha1').update(spki.subarray(-65)).digest().subarray(-4)

/** A file that carries the signature of this key, as `security.ima` has it. */
function signedEntry(content: string, signed = content): MadeEntry {
  const value = sign('sha256', Buffer.from(signed), privateKey)
  const head = Buffer.from([3, 2, 4, ...keyId, 0, value.length])
  const fields = [digestField(content), Buffer.from('/opt/agent\0'), Buffer.concat([head, value])]
  return entryOf('ima-sig', fields)
}

interface Case {
  readonly name: string
  readonly entries: readonly MadeEntry[]
  readonly rule?: Partial<ImaRule>
  /** What is refused; absent where the rule holds. */
  readonly found?: RegExp
}

const cases: readonly Case[] = [
  { name: 'files of an allow-list', entries: known },
  { name: 'a file of no allow-list', entries: [...known, odd], found: /ima-file “\/tmp\/odd”/ },
  {
    name: 'a file of an allow-list with another content',
    entries: [fileEntry('/bin/sh', 'evil')],
    found: /ima-file “\/bin\/sh”; 1 of 2 entries refused/,
  },
  {
    name: 'files of two allow-lists that name one path',
    entries: [...known, fileEntry('/bin/sh', 'newer shell')],
    rule: { allowLists: ['system', 'more'] },
  },
  {
    name: 'a digest of a reference value under any path',
    entries: [fileEntry('/anywhere', 'kernel')],
    rule: { accept: ['kernel'] },
  },
  { name: 'a file that is left out', entries: [odd], rule: { exclude: ['/tmp/'] } },
  {
    name: 'a path that only begins like one that is left out',
    entries: [fileEntry('/tmp/../bin/evil', 'evil')],
    rule: { exclude: ['/tmp/'] },
    found: /ima-file/,
  },
  {
    name: 'a file that a key of the policy signed',
    entries: [signedEntry('agent')],
    rule: { keys: [{ spki: encodeBase64url(spki) }] },
  },
  {
    name: 'a file that carries the signature of another',
    entries: [signedEntry('agent', 'other')],
    rule: { keys: [{ spki: encodeBase64url(spki) }] },
    found: /ima-signature “\/opt\/agent”/,
  },
  {
    name: 'a signed file without a key for it',
    entries: [signedEntry('agent')],
    found: /ima-file/,
  },
  {
    name: 'a key under another identifier than its own',
    entries: [signedEntry('agent')],
    rule: { keys: [{ spki: encodeBase64url(spki), subjectKeyId: '01020304' }] },
    found: /ima-signature/,
  },
  {
    name: 'a buffer of a reference value',
    entries: [bufferEntry('kexec-cmdline', Buffer.from('quiet'))],
    rule: { buffers: { 'kexec-cmdline': ['quiet'] } },
  },
  {
    name: 'a buffer that nothing names',
    entries: [bufferEntry('kexec-cmdline', Buffer.from('init=/bin/sh'))],
    rule: { buffers: { 'kexec-cmdline': ['quiet'] } },
    found: /ima-buffer “kexec-cmdline”/,
  },
  {
    name: 'a file that changed while it was measured',
    entries: [violationEntry('/bin/sh')],
    found: /ima-violations “1 violations”/,
  },
  {
    name: 'as many violations as are put up with',
    entries: [violationEntry('/bin/sh')],
    rule: { maxViolations: 1 },
  },
  {
    name: 'entries of an old kernel, where the policy says so',
    entries: known,
    rule: { templateHash: 'sha1-padded' },
  },
]

for (const { name, entries, rule = {}, found } of cases) {
  test(`ima ${found === undefined ? 'affirms' : 'refuses'} ${name}`, t => {
    const whole = { ...base, ...rule }
    const finding = appraiseRule(whole, listedSubject(entries, whole, { allowLists }))
    t.is(finding.outcome, found === undefined ? 'affirming' : 'contraindicated', finding.found)
    if (found !== undefined) t.regex(finding.found ?? '', found)
  })
}

test('ima refuses a host that shows no list', t => {
  t.is(appraiseRule(base, subject).outcome, 'contraindicated')
})

test('ima refuses entries of a PCR that boot loaders measure into', t => {
  const shown = listedSubject(known, base, { allowLists })
  if (shown.ima === undefined) throw new TypeError('a list has facts')
  const finding = appraiseRule(base, { ...shown, ima: { ...shown.ima, pcrs: [10, 12] } })
  t.is(finding.outcome, 'contraindicated')
  t.regex(finding.found ?? '', /^entries in PCR 12;/)
})

test('ima counts what it refuses beyond what it shows', t => {
  const many = Array.from({ length: 40 }, (_, i) => fileEntry(`/tmp/${i}`))
  const { found = '' } = appraiseRule(base, listedSubject(many, base, { allowLists }))
  t.regex(found, /and 13 more; 40 of 41 entries refused/)
})
