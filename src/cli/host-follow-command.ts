import { Option } from 'commander'
import { setTimeout as pause } from 'node:timers/promises'
import { AttesterError } from '../attester/error.ts'
import { isBundleTold, rootsOf } from '../attester/kept-bundle.ts'
import { followBundle, tellAdoption } from '../attester/trust-bundle.ts'
import { defineCommand, type CommandAnswer, type CommandRow } from './command.ts'
import { codeOf, renewDue, type Renewals } from './due-renewals.ts'
import { describeFailure, failureDocument } from './failure.ts'
import { connectHost, tpmOptions, type TpmOptions } from './host-machine.ts'
import type { Session } from './session.ts'
import { renderFacts, renderTime } from './table.ts'

interface FollowOptions extends TpmOptions {
  readonly once?: boolean
}

/** What one round came to. */
interface Round extends Renewals {
  readonly sequence: number
  readonly isNew: boolean
  readonly refreshHintSeconds: number
}

/** After a round that failed, and at least between two. */
const retryMs = 30_000
const shortestMs = 1_000
const longestMs = 86_400_000

/** `assay host follow` */
export const followCommand: CommandRow = defineCommand<FollowOptions>({
  name: 'follow',
  summary:
    'Keeps this machine’s trust bundle and certificates up to date: for a unit of systemd, or with --once a timer.',
  details: [
    'Fetches the bundle as often as it asks for (spiffe_refresh_hint), tells the service which one is kept, and renews the certificates of the host and its agents two thirds through their lives, or at once where their root is trusted no more. A new authority is activated only when every active host has told that it keeps the bundle with it.',
    'The first round that fails ends it; a later one is told on stderr and tried again. It ends for good when the host is revoked. TPM and token are open during a round only. With --json each round is one line.',
    'ExecStart=/usr/bin/assay host follow, with Restart=on-failure, is all that a unit needs.',
  ],
  examples: ['assay host follow', 'assay host follow --once --json'],
  options: [new Option('--once', 'one round'), ...tpmOptions()],
  run: async ({ session, options }) => {
    if (options.once === true) return answerOf(await play(session, options, true))
    const stopped = stopSignal()
    const first = await play(session, options, true)
    write(session, first)
    await keepFollowing(session, options, { first, stopped })
    return undefined
  },
})

async function keepFollowing(
  session: Session,
  options: FollowOptions,
  { first, stopped }: { readonly first: Round; readonly stopped: AbortSignal },
): Promise<void> {
  let waitMs = waitOf(first)
  while (await hasPaused(waitMs, stopped)) {
    try {
      const round = await play(session, options, false)
      write(session, round)
      waitMs = waitOf(round)
    } catch (error) {
      if (isFinal(error)) throw error
      report(session, error)
      waitMs = retryMs
    }
  }
}

/** One round; the keys of the host are used where there is something to tell or to renew. */
async function play(session: Session, options: TpmOptions, isFirst: boolean): Promise<Round> {
  return await session.within(async part => {
    const home = await part.openHome()
    const service = await home.loadService()
    if ((await home.findHost()) === undefined)
      throw new AttesterError('not-enrolled', { found: home.directory })
    const anybody = part.connect(service.issuer, service)
    part.progress.step('fetching the trust bundle')
    const { bundle, isNew } = await followBundle(home, anybody, Date.now())
    if (isFirst || !(await isBundleTold(home)))
      await tellAdoption(home, (await connectHost(part, options)).client)
    const renewals = await renewDue(part, home, rootsOf(bundle), options)
    const end = renewals.failed.find(({ error }) => isFinal(error))
    if (end !== undefined) throw end.error
    const { sequence, refreshHintSeconds } = bundle
    return { sequence, isNew, refreshHintSeconds, ...renewals }
  })
}

/** Whether there is nothing left to follow: a host that was revoked does not come back. */
function isFinal(error: unknown): boolean {
  return codeOf(error) === 'host-revoked'
}

function waitOf({ refreshHintSeconds, nextAt, failed }: Round): number {
  const untilRenewal = nextAt === undefined ? longestMs : nextAt - Date.now()
  const until = Math.min(refreshHintSeconds * 1000, untilRenewal, longestMs)
  return Math.max(until, failed.length > 0 ? retryMs : shortestMs)
}

async function hasPaused(ms: number, stopped: AbortSignal): Promise<boolean> {
  try {
    await pause(ms, undefined, { signal: stopped })
    return true
  } catch (error) {
    if (stopped.aborted) return false
    throw error
  }
}

/** Aborts with the first signal to end; the one after that ends the process as it always would. */
function stopSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort())
  return controller.signal
}

function report(session: Session, error: unknown): void {
  if (session.isJson) session.streams.stdout.write(`${JSON.stringify(failureDocument(error))}\n`)
  session.warn(describeFailure(error))
}

function write(session: Session, round: Round): void {
  const { json, lines } = answerOf(round)
  session.progress.clear()
  const text = session.isJson ? JSON.stringify(json) : lines.join('\n')
  session.streams.stdout.write(`${text}\n`)
}

function answerOf(round: Round): CommandAnswer {
  const { sequence, isNew, refreshHintSeconds, renewed, failed } = round
  return {
    json: {
      sequence,
      isNew,
      refreshHintSeconds,
      renewed,
      failed: failed.map(({ kind, id, code }) => ({ kind, id, code })),
    },
    lines: [
      isNew
        ? `The trust bundle ${sequence} is new, and kept.`
        : `The trust bundle ${sequence} is still the one.`,
      ...renderFacts(
        renewed.map(({ kind, id, notAfter }) => [
          `renewed ${kind} ${id}`,
          `until ${renderTime(notAfter)}`,
        ]),
      ),
    ],
    isFailure: failed.length > 0,
  }
}
