import { Option } from 'commander'
import type { Home } from '../attester/home.ts'
import type { LoggedAct } from '../core/log/audit-entry.ts'
import { parseAuditEntry } from '../core/log/audit-entry.ts'
import { parseVerifierKey, type NoteVerifier } from '../core/log/note-key.ts'
import { verifyLog, type ReadLog, type VerifiedLog } from '../core/log/verify-log.ts'
import { CommandError } from './command-error.ts'
import { connectOperator } from './operator-client.ts'
import type { Session } from './session.ts'

/** Which log is read, and by which key. */
export interface LogOptions {
  readonly url?: string
  readonly logKey?: string
}

/** The options of {@link LogOptions}. */
export function logOptions(): Option[] {
  return [
    new Option('--url <url>', 'a copy of the log to read instead of the service’s own'),
    new Option(
      '--log-key <key>',
      'verifier key of the log, from elsewhere than the log itself (default: the pinned one)',
    ),
  ]
}

/** A log that was recomputed whole and found to hold. */
export interface ReadLogResult extends VerifiedLog {
  /** Where the key came from that signed the checkpoint. */
  readonly keySource: 'pinned' | 'given'
  /** Size of the checkpoint that this home had verified before; undefined the first time. */
  readonly trustedSize: number | undefined
}

/** Hears of each entry once its tile was checked. */
export type OnAct = (act: LoggedAct, index: number) => void

/**
 * Recomputes the audit log from its tiles, over HTTP, and holds it against the checkpoint, the pinned key, and the last
 * checkpoint that this home verified, which it then replaces. A log that shrank or was rewritten is refused.
 *
 * @throws LogError; CommandError `log-key-absent`, `log-unreachable`; ClientError, RemoteError
 */
export async function readVerifiedLog(
  session: Session,
  options: LogOptions,
  onAct: OnAct,
): Promise<ReadLogResult> {
  const home = await session.openHome()
  const { verifier, keySource } = await findVerifier(home, options)
  const read = options.url === undefined ? await serviceReader(session) : copyReader(options.url)
  const checkpointFile = `audit-checkpoint-${Buffer.from(verifier.keyId).toString('hex')}`
  const trusted = await home.readIfThere(checkpointFile)
  let note = ''
  const verified = await verifyLog({
    read: async path => {
      const bytes = await read(path)
      if (path === 'checkpoint') note = Buffer.from(bytes ?? []).toString('utf8')
      return bytes
    },
    verifier,
    ...(trusted === undefined ? {} : { trusted }),
    onEntry: (entry, index) => {
      if (index % 1000 === 0) session.progress.step(`verified ${index} entries`)
      onAct(parseAuditEntry(entry), index)
    },
  })
  await home.writeText(checkpointFile, note)
  return { ...verified, keySource, trustedSize: sizeOf(trusted) }
}

/** Never a key that the log itself gave in the same breath. */
async function findVerifier(
  home: Home,
  { logKey }: LogOptions,
): Promise<{ verifier: NoteVerifier; keySource: ReadLogResult['keySource'] }> {
  if (logKey !== undefined) return { verifier: parseVerifierKey(logKey), keySource: 'given' }
  const pinned = (await home.findService())?.logKey
  if (pinned === undefined) throw new CommandError('log-key-absent', { found: home.directory })
  return { verifier: parseVerifierKey(pinned), keySource: 'pinned' }
}

/** Hashes are for everybody, entries for auditors. */
async function serviceReader(session: Session): Promise<ReadLog> {
  const { client } = await connectOperator(session)
  return async path =>
    path.startsWith('tile/entries/')
      ? await client.callRaw(`/audit/${path}`)
      : await client.readRaw(`/audit/${path}`)
}

const patienceMs = 30_000
const largestFile = 32 * 1024 * 1024

/** A copy of the log anywhere: what it serves is believed as far as the pinned key and the hashes go. */
function copyReader(base: string): ReadLog {
  if (!URL.canParse(base) || !/^https?:\/\//.test(base))
    throw new CommandError('log-unreachable', { expected: 'an http or https URL', found: base })
  const prefix = base.replace(/\/?$/, '/')
  return async path => {
    const url = new URL(path, prefix)
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs) })
      if (answer.status === 404) return undefined
      if (!answer.ok)
        throw new CommandError('log-unreachable', { found: `${url}: ${answer.status}` })
      return await readBounded(answer, url)
    } catch (cause) {
      if (cause instanceof CommandError) throw cause
      throw new CommandError('log-unreachable', { found: url.href, cause })
    }
  }
}

async function readBounded(answer: Response, url: URL): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of answer.body ?? []) {
    length += chunk.length
    if (length > largestFile)
      throw new CommandError('log-unreachable', {
        expected: `at most ${largestFile} bytes`,
        found: url.href,
      })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function sizeOf(note: string | undefined): number | undefined {
  return note === undefined ? undefined : Number(note.split('\n')[1])
}
