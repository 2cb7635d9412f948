import type { Home } from '../attester/home.ts'
import { isBundleDue, isBundleTold } from '../attester/kept-bundle.ts'
import type { ServiceClient } from '../attester/service-client.ts'
import { followBundle, tellAdoption } from '../attester/trust-bundle.ts'
import { describeFailure } from './failure.ts'
import { connectHost, type TpmOptions } from './host-machine.ts'
import type { Session } from './session.ts'

/** Who keeps a bundle: the home, and a client of its service. */
export interface BundleKeeper {
  readonly home: Home
  readonly client: ServiceClient
}

/**
 * Follows the trust bundle where its time has come, before a command does what it is for. What fails is said on stderr
 * and does not end the command: the bundle that is kept stays, and the service is held against that one.
 *
 * @param isForced for a command after which the service may stand under another root
 */
export async function refreshBundle(
  session: Session,
  { home, client }: BundleKeeper,
  isForced = false,
): Promise<void> {
  await orWarn(session, async () => {
    const now = Date.now()
    if (isForced || (await isBundleDue(home, now))) await followBundle(home, client, now)
  })
}

/** As {@link refreshBundle} on a host, which also tells the service what it keeps: whichever command comes first. */
export async function refreshHostBundle(
  session: Session,
  keeper: BundleKeeper,
  options: TpmOptions,
): Promise<void> {
  await refreshBundle(session, keeper)
  await orWarn(session, async () => {
    if (await isBundleTold(keeper.home)) return
    const { home, client } = await connectHost(session, options)
    await tellAdoption(home, client)
  })
}

async function orWarn(session: Session, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    session.warn(['The trust bundle is not up to date:', ...describeFailure(error)])
  }
}
