import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { isWanted, parseSince } from '../../src/cli/audit-commands.ts'
import type { LoggedAct } from '../../src/core/log/audit-entry.ts'
import { encodeEntryBundle } from '../../src/core/log/entry-bundle.ts'
import { startPublishedLog, type PublishedLog } from './published-log.ts'
import { runCli, scratch, type Ran } from './run-cli.ts'

function actsOf(count: number, reason = 'as it was'): LoggedAct[] {
  return Array.from({ length: count }, (_, at) => ({
    type: at % 2 === 0 ? 'host.enrolled' : 'token.issued',
    time: Date.UTC(2026, 0, 1) + at * 60_000,
    actor: 'service',
    subject: `subject-${at % 3}`,
    detail: { at, reason },
  }))
}

interface Auditor {
  readonly log: PublishedLog
  readonly home: string
  readonly verify: (...more: string[]) => Promise<Ran>
  readonly show: (...more: string[]) => Promise<Ran>
  readonly trace: (...more: string[]) => Promise<Ran>
}

/** Somebody without any key who reads a copy of a log. */
async function auditor(t: ExecutionContext): Promise<Auditor> {
  const log = await startPublishedLog()
  t.teardown(async () => await log.stop())
  const home = join(await scratch(t), 'home')
  const options = ['--url', log.url, '--log-key', log.logKey]
  return {
    log,
    home,
    verify: async (...more) => await runCli(['audit', 'verify', ...options, ...more], home),
    show: async (...more) => await runCli(['audit', 'show', ...options, ...more], home),
    trace: async (...more) => await runCli(['audit', 'trace', ...options, ...more], home),
  }
}

function codeOf(ran: Ran): string | undefined {
  return /^([a-z-]+): /.exec(ran.stderr)?.[1]
}

test('a copy of a log is verified by a key that was given, and a longer one extends it', async t => {
  const { log, verify } = await auditor(t)
  log.publish(actsOf(10))
  t.like((await verify('--json')).json(), { size: 10, keySource: 'given', trustedSize: null })
  log.publish(actsOf(14))
  t.like((await verify('--json')).json(), { size: 14, trustedSize: 10 })
  const text = await verify()
  t.is(text.status, 0)
  t.regex(text.stdout, /^The log holds: 14 entries/)
  t.regex(text.stdout, /what was verified before, 14 entries/)
})

test('a log that shrank is refused, and the checkpoint that is kept stays', async t => {
  const { log, home, verify } = await auditor(t)
  log.publish(actsOf(10))
  t.is((await verify()).status, 0)
  log.publish(actsOf(9))
  const shrunk = await verify()
  t.is(shrunk.status, 1)
  t.is(codeOf(shrunk), 'checkpoint-rollback')
  t.is(codeOf(await verify()), 'checkpoint-rollback')
  const [name] =
    /audit-checkpoint-[0-9a-f]{8}/.exec(`audit-checkpoint-${log.logKey.split('+')[1]}`) ?? []
  t.is((await readFile(join(home, name ?? ''), 'utf8')).split('\n')[1], '10')
  log.publish(actsOf(10))
  t.is((await verify()).status, 0)
})

test('a log that was rewritten is refused, though it is longer and well signed', async t => {
  const { log, verify } = await auditor(t)
  log.publish(actsOf(10))
  t.is((await verify()).status, 0)
  log.publish(actsOf(12, 'another story'))
  const rewritten = await verify('--json')
  t.is(rewritten.status, 1)
  t.like(rewritten.json(), { error: { code: 'checkpoint-inconsistent' } })
})

test('a checkpoint that another key signed is refused', async t => {
  const { log, verify } = await auditor(t)
  log.publish(actsOf(10), { forged: true })
  const forged = await verify()
  t.is(forged.status, 1)
  t.is(codeOf(forged), 'checkpoint-signature')
  log.publish(actsOf(10))
  t.is((await verify()).status, 0)
})

test('an entry that was exchanged behind the checkpoint is refused, and nothing of it shown', async t => {
  const { log, show } = await auditor(t)
  log.publish(actsOf(3))
  t.is((await show()).status, 0)
  const bundle = log.paths().find(path => path.startsWith('tile/entries/')) ?? ''
  log.replace(bundle, encodeEntryBundle(['a', 'b', 'c'].map(text => Buffer.from(text))))
  const exchanged = await show()
  t.is(exchanged.status, 1)
  t.is(exchanged.stdout, '')
  t.is(codeOf(exchanged), 'bundle-mismatch')
  log.replace(bundle, undefined)
  t.is(codeOf(await show()), 'bundle-missing')
})

test('without a pinned key, none is taken from the log itself', async t => {
  const { log, home } = await auditor(t)
  log.publish(actsOf(3))
  const ran = await runCli(['audit', 'verify', '--url', log.url], home)
  t.is(ran.status, 1)
  t.is(codeOf(ran), 'log-key-absent')
})

test('a copy that is not there, or is no copy, is refused with a code', async t => {
  const { log, home } = await auditor(t)
  const withUrl = async (url: string): Promise<Ran> =>
    await runCli(['audit', 'verify', '--url', url, '--log-key', log.logKey], home)
  for (const url of ['http://127.0.0.1:1/x', 'ftp://a.example', 'nonsense'])
    t.is(codeOf(await withUrl(url)), 'log-unreachable', url)
  t.is(codeOf(await withUrl(log.url)), 'note-malformed')
})

test('entries are shown by type, family, subject, actor, time and number', async t => {
  const { log, show } = await auditor(t)
  log.publish(actsOf(10))
  const entries = async (...more: string[]): Promise<number[]> =>
    ((await show('--json', ...more)).json() as { entries: { index: number }[] }).entries.map(
      row => row.index,
    )
  t.deepEqual(await entries(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.deepEqual(await entries('--limit', '3'), [7, 8, 9])
  t.deepEqual(await entries('--type', 'host'), [0, 2, 4, 6, 8])
  t.deepEqual(await entries('--type', 'host.enrolled', '--limit', '1'), [8])
  t.deepEqual(await entries('--type', 'hos'), [])
  t.deepEqual(await entries('--subject', 'subject-1'), [1, 4, 7])
  t.deepEqual(await entries('--actor', 'nobody'), [])
  t.deepEqual(await entries('--since', '2026-01-01T00:08:00Z'), [8, 9])
})

test('what an entry says cannot reach the terminal as more than text', async t => {
  const { log, show } = await auditor(t)
  const [act] = actsOf(1)
  const detail = { reason: '\u001B[2Jgone\u009B1A\u202Eback\nby nobody' }
  if (act !== undefined) log.publish([{ ...act, subject: 'a\u0007b', detail }])
  for (const ran of [await show(), await show('--json')]) {
    t.is(ran.status, 0)
    // oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
    t.notRegex(ran.stdout, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/)
  }
  const text = await show()
  t.is(text.stdout.trimEnd().split('\n').length, 2)
})

test('a point in time is ISO 8601 or so long ago', t => {
  const now = Date.UTC(2026, 5, 15)
  t.is(parseSince('30m', now), now - 1_800_000)
  t.is(parseSince('24h', now), now - 86_400_000)
  t.is(parseSince('7d', now), now - 7 * 86_400_000)
  t.is(parseSince('2026-06-01', now), Date.UTC(2026, 5, 1))
  for (const text of ['', '5', 'h', '-1h', '2026', '2026-13-01', 'tomorrow'])
    t.throws(() => parseSince(text, now), { code: 'usage-malformed' }, text)
})

test('a family is a whole word of the type', t => {
  for (const act of actsOf(1)) {
    t.true(isWanted(act, { type: 'host' }))
    t.false(isWanted(act, { type: 'host.' }))
    t.false(isWanted(act, { type: 'host.enroll' }))
  }
})

/** A asks, B acts for A, C is denied, and B takes its token back; another transaction goes between. */
function transaction(): LoggedAct[] {
  const time = Date.UTC(2026, 0, 1)
  const [a, b, c] = ['spiffe://x/agent/k/a', 'spiffe://x/agent/k/b', 'spiffe://x/agent/k/c']
  const aud = 'https://api.example'
  const delegation = { depth: 2, initiator: a, actors: [c, b] }
  const input = { audience: aud, context: { scopes: ['read'], delegation } }
  const passedOn = { aud, scope: 'read', txn: 'T', subject: a, actor: b, chain: [b] }
  return [
    {
      type: 'token.issued',
      time,
      actor: a,
      subject: 'one',
      detail: { aud, scope: 'r w', txn: 'T' },
    },
    {
      type: 'token.issued',
      time,
      actor: c,
      subject: 'else',
      detail: { aud, scope: 'r', txn: 'U' },
    },
    { type: 'token.exchanged', time, actor: b, subject: 'two', detail: passedOn },
    { type: 'authorization.denied', time, actor: c, subject: c, detail: { txn: 'T', input } },
    { type: 'token.revoked', time, actor: b, subject: 'two', detail: { exp: 1, txn: 'T' } },
  ]
}

test('a transaction is traced from who asked first through each actor, denials among them', async t => {
  const { log, trace } = await auditor(t)
  log.publish(transaction())
  const [a, b, c] = ['a', 'b', 'c'].map(name => `spiffe://x/agent/k/${name}`)
  const { acts } = (await trace('T', '--json')).json() as { acts: Record<string, unknown>[] }
  t.deepEqual(
    acts.map(({ index, initiator, through, token }) => [index, initiator, through, token]),
    [
      [0, a, [], 'one'],
      [2, a, [b], 'two'],
      [3, a, [b, c], null],
      [4, b, [], 'two'],
    ],
  )
  t.like(acts[2], { audiences: ['https://api.example'], scope: 'read', actor: c })
  const text = await trace('T')
  t.is(text.status, 0)
  t.regex(text.stdout, /through: +spiffe:\/\/x\/agent\/k\/b → spiffe:\/\/x\/agent\/k\/c/)
  t.false(text.stdout.includes('else'))
})

test('a transaction that the log does not know is refused with a code', async t => {
  const { log, trace } = await auditor(t)
  log.publish(transaction())
  const ran = await trace('V')
  t.is(ran.status, 1)
  t.is(codeOf(ran), 'transaction-unknown')
})
