import { Option } from 'commander'
import { setTimeout as pause } from 'node:timers/promises'
import { AttesterError } from '../attester/error.ts'
import type { Home } from '../attester/home.ts'
import { isBundleTold } from '../attester/kept-bundle.ts'
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
    'Fetches the bundle as often as it asks for (spiffe_refresh_hint), tells the service which one is kept, and renews the certificates of the host and its agents when the service suggests it (two thirds to five sixths through their lives, earlier after a change of policy or authority), or at once where their root is trusted no more. A new authority is activated only when every active host has told that it keeps the bundle with it.',
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
  let hintMs = first.refreshHintSeconds * 1000
  let waitMs = waitOf(first)
  let failures = 0
  while (await hasPaused(waitMs, stopped)) {
    try {
      const round = await play(session, options, false)
      write(session, round)
      hintMs = round.refreshHintSeconds * 1000
      waitMs = waitOf(round)
      failures = 0
    } catch (error) {
      if (isFinal(error)) throw error
      report(session, error)
      // Twice as long each time, up to the pace at which the service wants to be asked.
      waitMs = Math.max(Math.min(retryMs * 2 ** Math.min(failures, 10), hintMs), shortestMs)
      failures += 1
    }
  }
}

/**
 * One round; the keys of the host are used where there is something to tell or to renew. Certificates are renewed also
 * where the bundle could not be followed: the service is held against the one before.
 */
async function play(session: Session, options: TpmOptions, isFirst: boolean): Promise<Round> {
  return await session.within(async part => {
    const home = await part.openHome()
    await home.loadService()
    if ((await home.findHost()) === undefined)
      throw new AttesterError('not-enrolled', { found: home.directory })
    const following = await settled(follow(part, home, options, isFirst))
    const { root, roots = [root] } = await home.loadService()
    const renewals = await renewDue(part, home, roots, options)
    const end = renewals.failed.find(({ error }) => isFinal(error))
    if (end !== undefined) throw end.error
    if ('error' in following) throw following.error
    return { ...following.value, ...renewals }
  })
}

async function follow(
  session: Session,
  home: Home,
  options: TpmOptions,
  isFirst: boolean,
): Promise<Omit<Round, keyof Renewals>> {
  const service = await home.loadService()
  session.progress.step('fetching the trust bundle')
  const anybody = session.connect(service.issuer, service)
  const { bundle, isNew } = await followBundle(home, anybody, Date.now())
  if (isFirst || !(await isBundleTold(home)))
    await tellAdoption(home, (await connectHost(session, options)).client)
  const { sequence, refreshHintSeconds } = bundle
  return { sequence, isNew, refreshHintSeconds }
}

async function settled<T>(
  work: Promise<T>,
): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await work }
  } catch (error) {
    return { error }
  }
}

/** Whether there is nothing left to follow: a host that was revoked does not come back. */
function isFinal(error: unknown): boolean {
  return codeOf(error) === 'host-revoked'
}

function waitOf({ refreshHintSeconds, nextAt, failed }: Round): number {
  const untilRenewal = nextAt === undefined ? longestMs : nextAt - Date.now()
  // Due again although it was just renewed: one of the two clocks is wrong.
  const shortest = failed.length > 0 || untilRenewal <= 0 ? retryMs : shortestMs
  return Math.max(Math.min(refreshHintSeconds * 1000, untilRenewal, longestMs), shortest)
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
  const signals = ['SIGINT', 'SIGTERM'] as const
  const listener = (): void => {
    for (const name of signals) process.off(name, listener)
    controller.abort()
  }
  for (const name of signals) process.on(name, listener)
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
