import { setTimeout as pause } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import {
  activateAuthority,
  prepareAuthority,
  revokeAuthority,
  taintAuthority,
} from '../../src/services/authority-rotation.ts'
import type { TestHardware } from './test-service.ts'
import { begin, type Stage } from './turnover-stage.ts'
import { Visitor } from './turnover-visitor.ts'

/** What came of a row of turnovers. */
export interface TurnoverReport {
  /** Authorities that were prepared, adopted, activated, and whose predecessor was tainted and revoked. */
  readonly turnovers: number
  /** Connections made meanwhile, each verified by both sides. */
  readonly handshakes: number
  readonly failedHandshakes: number
  /** Of the first of them, for people. */
  readonly firstFailure: string | undefined
}

/** Longer together than a certificate lives, so that one that is not renewed ends meanwhile. */
const paceMs = 180

/** Each so many turnovers openssl looks as well. */
const opensslEvery = 10

/**
 * Turns the authority of a real service over, again and again, while a host follows the bundle and connects all the
 * time: TLS 1.3, the service verified under the roots that the host keeps, the host by its certificate, which the
 * service must know. On the machine's own clock, since TLS knows no other.
 *
 * @param skipped what the host leaves out, to see that it is missed
 */
export async function turnOver(
  t: Pick<ExecutionContext, 'teardown'>,
  turnovers: number,
  skipped?: 'follow' | 'renew',
): Promise<TurnoverReport> {
  const stage = await begin(t)
  const visitor = new Visitor(stage, skipped !== 'renew')
  const visiting = visitor.run()
  let done = 0
  while (done < turnovers) {
    await Promise.all([turnOnce(stage, visitor, skipped), pause(paceMs)])
    done += 1
    if (done % opensslEvery === 0) await visitor.visitWithOpenssl()
  }
  visitor.stop()
  await visiting
  const { handshakes, failures } = visitor
  return {
    turnovers: done,
    handshakes,
    failedHandshakes: failures.length,
    firstFailure: failures[0],
  }
}

/**
 * As {@link turnOver}, while somebody else acts on the service.
 *
 * @param work what is done meanwhile
 */
export async function visitWhile(
  t: Pick<ExecutionContext, 'teardown'>,
  hardware: TestHardware,
  work: (stage: Stage) => Promise<void>,
): Promise<Omit<TurnoverReport, 'turnovers'>> {
  const stage = await begin(t, hardware)
  const visitor = new Visitor(stage, true)
  const visiting = visitor.run()
  try {
    await work(stage)
  } finally {
    visitor.stop()
    await visiting
  }
  const { handshakes, failures } = visitor
  return { handshakes, failedHandshakes: failures.length, firstFailure: failures[0] }
}

/** The four verbs in the order in which an operator uses them, and what the host does in between. */
async function turnOnce(stage: Stage, visitor: Visitor, skipped?: string): Promise<void> {
  const { service } = stage.api
  const before = service.authorities.active().id
  const { authority } = await prepareAuthority(service, 'turnover', { kind: 'root', reason: null })
  const isForced = skipped === 'follow'
  if (!isForced) await stage.follow()
  await activateAuthority(service, 'turnover', authority.id, { isForced, reason: 'turned over' })
  await taintAuthority(service, 'turnover', before, 'turned over')
  if (skipped === undefined) await stage.renew()
  await visitor.settle()
  await revokeAuthority(service, 'turnover', before, 'turned over')
}
