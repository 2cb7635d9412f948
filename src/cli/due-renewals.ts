import type { Home } from '../attester/home.ts'
import { renewCredential, type RenewalSubject } from '../attester/renewal.ts'
import { askRenewalWindow, jitterOf, renewalTime } from '../attester/renewal-time.ts'
import type { ServiceClient } from '../attester/service-client.ts'
import { CodedError } from '../core/coded-error.ts'
import type { RenewalWindow } from '../core/issuance/renewal-window.ts'
import { connectAgent } from './agent-machine.ts'
import { describeFailure } from './failure.ts'
import { connectHost, type TpmOptions } from './host-machine.ts'
import { createRenewalProver } from './renewal-prover.ts'
import type { Session } from './session.ts'

/** Whose certificate was renewed. */
export interface DoneRenewal {
  readonly kind: 'host' | 'agent'
  readonly id: string
  readonly serial: string
  /** Unix milliseconds. */
  readonly notAfter: number
}

/** Whose was not, and why. */
export interface FailedRenewal {
  readonly kind: 'host' | 'agent'
  readonly id: string
  readonly code: string
  readonly error: unknown
}

/** What came of the renewals of one home. */
export interface Renewals {
  readonly renewed: readonly DoneRenewal[]
  readonly failed: readonly FailedRenewal[]
  /** When the next certificate is due, Unix milliseconds; undefined where none is kept that will be. */
  readonly nextAt: number | undefined
}

/**
 * Renews the certificates of a home whose time has come: the host's, and those of its agents. One that cannot be
 * renewed is told on stderr and keeps no other from it.
 *
 * @param roots DER; what the trust bundle says is trusted
 */
export async function renewDue(
  session: Session,
  home: Home,
  roots: readonly Uint8Array[],
  options: TpmOptions,
): Promise<Renewals> {
  const renewed: DoneRenewal[] = []
  const failed: FailedRenewal[] = []
  const times: number[] = []
  for (const subject of await subjectsOf(home)) {
    const { kind, id, certificateFile } = subject
    try {
      const window = await findWindow(session, home, subject)
      const hint = { window, jitter: await jitterOf(home, certificateFile) }
      let time = await renewalTime(home, certificateFile, roots, hint)
      if (time <= Date.now()) {
        renewed.push(await renew(session, subject, options))
        const jitter = await jitterOf(home, certificateFile)
        time = await renewalTime(home, certificateFile, roots, { jitter })
      }
      times.push(time)
    } catch (error) {
      session.warn([
        `The certificate of the ${kind} ${id} is not renewed:`,
        ...describeFailure(error),
      ])
      failed.push({ kind, id, code: codeOf(error), error })
    }
  }
  return { renewed, failed, nextAt: times.length === 0 ? undefined : Math.min(...times) }
}

/** What the service suggests. What fails in that is told: the usual window needs no service. */
async function findWindow(
  session: Session,
  home: Home,
  { kind, id, certificateFile }: RenewalSubject,
): Promise<RenewalWindow | undefined> {
  const service = await home.loadService()
  try {
    const client = session.connect(service.issuer, service)
    return await askRenewalWindow(client, home, certificateFile)
  } catch (error) {
    session.warn([
      `The service does not say when to renew the certificate of the ${kind} ${id}:`,
      ...describeFailure(error),
    ])
    return undefined
  }
}

async function subjectsOf(home: Home): Promise<RenewalSubject[]> {
  const host = await home.findHost()
  const agents = await home.listAgents()
  return [
    ...(host === undefined ? [] : [{ kind: 'host', ...host } as const]),
    ...agents.map(agent => ({ kind: 'agent', ...agent }) as const),
  ]
}

async function renew(
  session: Session,
  subject: RenewalSubject,
  options: TpmOptions,
): Promise<DoneRenewal> {
  const { kind, id } = subject
  session.progress.step(`renewing the certificate of the ${kind} ${id}`)
  const { client, key, home } =
    kind === 'host' ? await connectHost(session, options) : await connectAgent(session, id, options)
  const prove = await createRenewalProver(session, { client, key, home }, subject, options)
  const { serial, notAfter } = await renewCredential({ client, key, home, subject, prove })
  await renewAttestation(session, subject, client)
  return { kind, id, serial, notAfter }
}

/** It lives as long as the certificate. What fails is told, and the next token has it fetched; the certificate stands. */
async function renewAttestation(
  session: Session,
  { kind, id }: RenewalSubject,
  client: ServiceClient,
): Promise<void> {
  try {
    await client.attest()
  } catch (error) {
    session.warn([
      `The client attestation of the ${kind} ${id} is not renewed:`,
      ...describeFailure(error),
    ])
  }
}

/** The code of what was thrown; of a bug of ours, a word for that. */
export function codeOf(error: unknown): string {
  return error instanceof CodedError ? error.code : 'internal-error'
}
