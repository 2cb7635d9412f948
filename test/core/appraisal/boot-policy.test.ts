import { generateKeyPairSync, randomBytes } from 'node:crypto'
import test from 'ava'
import { AppraisalPolicy } from '../../../src/core/appraisal/appraisal-policy.ts'
import { encodeBase64url } from '../../../src/core/bytes/base64url.ts'
import { policySchema } from '../../../src/http/policy-schema.ts'
import { bootPcrs, referenceValues } from './boot-fixtures.ts'

const written = {
  name: 'boots',
  assurance: ['emulated'],
  pcrs: { sha256: bootPcrs },
  validitySeconds: 3600,
  referenceValues,
  allowLists: { system: { '/bin/sh': ['ab'.repeat(32), `sha512:${'ab'.repeat(64)}`] } },
}

/** A policy as operators write it, prepared. */
function prepare(rules: readonly object[], changes: object = {}): AppraisalPolicy {
  return AppraisalPolicy.prepare(policySchema.parse({ ...written, rules, ...changes }), 1)
}

const spkiOf = (bits: number): string => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits })
  return encodeBase64url(publicKey.export({ format: 'der', type: 'spki' }))
}

const rules: Readonly<Record<string, object>> = {
  'boot-authority': { accept: ['ca-vendor'] },
  'boot-files': { accept: ['initrd'] },
  'boot-images': { accept: ['shim', 'grub'], last: ['grub'] },
  'event-log': {},
  ima: { allowLists: ['system'], accept: ['kernel'], buffers: { 'kexec-cmdline': ['quiet'] } },
  'kernel-command-line': { allow: ['quiet', 'root=*'], require: ['ro'], embedded: ['quiet'] },
  'secure-boot': {},
  'secure-boot-database': { database: 'dbx', require: ['revoked-1'] },
  'unified-kernel': { sections: { '.linux': ['kernel'] } },
}

for (const [kind, form] of Object.entries(rules)) {
  test(`${kind} is written as rules are, and nothing unknown is in it`, t => {
    const { document } = prepare([{ kind, ...form }])
    t.like(document.rules[0], { kind, id: kind, ...form })
    t.false(policySchema.safeParse({ ...written, rules: [{ kind, ...form, extra: 1 }] }).success)
  })

  test(`${kind} needs the PCRs that it looks at`, t => {
    t.throws(() => prepare([{ kind, ...form }], { pcrs: { sha256: [23] } }), {
      code: 'policy-pcr-unquoted',
    })
  })
}

test('what an event log must explain is what firmware owns, where nothing else is said', t => {
  const [rule] = prepare([{ kind: 'event-log' }]).document.rules
  t.like(rule, { explain: [0, 1, 2, 3, 4, 5, 6, 7], quirks: [], tolerate: [] })
})

const unknown: Readonly<Record<string, object>> = {
  'boot-authority': { accept: ['nobody'] },
  'boot-files': { accept: ['nobody'] },
  'boot-images': { accept: ['shim'], last: ['nobody'] },
  ima: { buffers: { x: ['nobody'] } },
  'kernel-command-line': { parameters: ['nobody'] },
  'secure-boot-database': { database: 'db', forbid: ['nobody'] },
  'unified-kernel': { sections: { '.linux': ['nobody'] } },
}

for (const [kind, form] of Object.entries(unknown)) {
  test(`${kind} names reference values that the policy has`, t => {
    t.throws(() => prepare([{ kind, ...form }]), { code: 'policy-reference-unknown' })
  })
}

test('ima names allow-lists that the policy has', t => {
  const code = 'policy-reference-unknown'
  t.throws(() => prepare([{ kind: 'ima', allowLists: ['nobody'] }]), { code })
  t.throws(() => prepare([{ kind: 'ima', allowLists: ['toString'] }]), { code })
})

for (const kind of ['event-log', 'ima']) {
  test(`a policy has ${kind} once`, t => {
    const code = 'policy-rule-repeated'
    t.throws(
      () =>
        prepare([
          { kind, id: 'one' },
          { kind, id: 'other' },
        ]),
      { code },
    )
    t.notThrows(() => prepare([{ kind, id: 'one' }, { kind: 'secure-boot' }]))
  })
}

test('two rules of another kind may stand beside each other', t => {
  const [one, other] = ['db', 'dbx'].map(database => ({
    kind: 'secure-boot-database',
    id: database,
    database,
    forbid: ['ca-vendor'],
  }))
  t.notThrows(() => prepare([one ?? {}, other ?? {}]))
})

test('keys that files may be signed with are read when the policy is', t => {
  const code = 'policy-key'
  const keyed = (spki: string): object => ({ kind: 'ima', keys: [{ spki }] })
  t.notThrows(() => prepare([keyed(spkiOf(2048))]))
  t.throws(() => prepare([keyed(spkiOf(1024))]), { code })
  t.throws(() => prepare([keyed(encodeBase64url(randomBytes(64)))]), { code })
})

const wrong: Readonly<Record<string, object>> = {
  'a database that does not exist': {
    kind: 'secure-boot-database',
    database: 'dby',
    only: ['shim'],
  },
  'a database of which nothing is said': { kind: 'secure-boot-database', database: 'db' },
  'an authority that is nobody': { kind: 'boot-authority', accept: [] },
  'images that are none': { kind: 'boot-images', accept: [] },
  'a section that is none': { kind: 'unified-kernel', sections: { linux: ['kernel'] } },
  'no section': { kind: 'unified-kernel', sections: {} },
  'two words as one': { kind: 'kernel-command-line', allow: ['quiet splash'] },
  'a relative path': { kind: 'ima', exclude: ['tmp/'] },
  'a negative number of violations': { kind: 'ima', maxViolations: -1 },
  'another way to extend': { kind: 'ima', templateHash: 'both' },
  'a deviation that does not exist': { kind: 'event-log', quirks: ['anything'] },
  'a check that nothing tolerates': { kind: 'event-log', tolerate: ['eventlog-error-separator'] },
  'a check of another kind': { kind: 'event-log', tolerate: ['anything'] },
}

for (const [name, rule] of Object.entries(wrong)) {
  test(`the written form is refused with ${name}`, t => {
    t.false(policySchema.safeParse({ ...written, rules: [rule] }).success)
  })
}

test('digests of files are hex behind their algorithm, and nothing else', t => {
  const listed = (digest: string): boolean =>
    policySchema.safeParse({ ...written, rules: [], allowLists: { a: { '/x': [digest] } } }).success
  t.true(listed(`verity:sha256:${'ab'.repeat(32)}`))
  t.true(listed(`sha1:${'ab'.repeat(20)}`))
  t.false(listed('AB'.repeat(32)))
  t.false(listed(`md5:${'ab'.repeat(16)}`))
  t.false(listed('ab'))
})
