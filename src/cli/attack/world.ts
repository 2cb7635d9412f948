import { randomBytes } from 'node:crypto'
import { EmulatedTpm, type EmulatedTpmOptions } from '../../../swtpm/emulated/emulated-tpm.ts'
import {
  createEmulatedManufacturer,
  type EmulatedManufacturer,
} from '../../../swtpm/emulated/manufacturer.ts'
import { playBoot } from '../../../swtpm/emulated/play-boot.ts'
import type { ClientKey } from '../../attester/client-key.ts'
import { Answer } from '../../attester/answer.ts'
import type { ServiceClient } from '../../attester/service-client.ts'
import type { PolicyDocument } from '../../core/appraisal/policy.ts'
import { encodeBase64url } from '../../core/bytes/base64url.ts'
import { openHsmWorld, type HsmWorld } from './hsm-world.ts'
import { preparePolicy } from '../policy-file.ts'

/** What the kit needs of whoever runs it. */
export interface AttackSetup {
  /** Calls as an administrator. */
  readonly operator: ServiceClient
  /** A client of the same service with another key, or without one. */
  readonly connect: (key?: ClientKey) => ServiceClient
  /** Unix milliseconds. */
  readonly now: number
}

/**
 * A service under attack: a throwaway manufacturer that it was told to admit, a class of agents, and every host that
 * was enrolled on the way, so that all of it can be taken back.
 */
export class AttackWorld {
  readonly setup: AttackSetup
  readonly manufacturer: EmulatedManufacturer
  readonly className: string
  /** The policy in force at the service. */
  readonly policy: PolicyDocument
  readonly #anchor: string
  readonly #hosts: string[] = []
  #hsm: Promise<HsmWorld> | undefined

  private constructor(
    setup: AttackSetup,
    parts: Pick<AttackWorld, 'manufacturer' | 'className' | 'policy'>,
    anchor: string,
  ) {
    this.setup = setup
    this.manufacturer = parts.manufacturer
    this.className = parts.className
    this.policy = parts.policy
    this.#anchor = anchor
  }

  /** Admits a throwaway manufacturer at assurance `emulated` and registers a class. Throws RemoteError. */
  static async open(setup: AttackSetup): Promise<AttackWorld> {
    const policy = await readPolicy(setup.operator)
    const manufacturer = createEmulatedManufacturer(setup.now)
    const className = `attack-${randomBytes(6).toString('hex')}`
    const anchor = (await setup.operator.call('POST', '/v1/anchors', {
      certificate: encodeBase64url(manufacturer.root.certificate),
      name: className,
      vendor: manufacturer.vendor,
      assurance: 'emulated',
      source: 'attack kit: throwaway manufacturer',
    })) as { fingerprint: string }
    const audiences = [setup.operator.issuer]
    const form = { name: className, audiences, scopes: [], hosts: ['*'], tokenLifetimeSeconds: 60 }
    await setup.operator.call('POST', '/v1/classes', form)
    return new AttackWorld(setup, { manufacturer, className, policy }, anchor.fingerprint)
  }

  /** A TPM of the admitted manufacturer, or of what is given, in a machine that was switched on. */
  createTpm(options: Partial<EmulatedTpmOptions> = {}): EmulatedTpm {
    const tpm = new EmulatedTpm({ manufacturer: this.manufacturer, ...options })
    playBoot(tpm)
    return tpm
  }

  /** What is admitted of HSMs, from the first case on that asks for it. Throws RemoteError. */
  async hsm(): Promise<HsmWorld> {
    const { operator, now } = this.setup
    this.#hsm ??= openHsmWorld(operator, this.className, now)
    return await this.#hsm
  }

  /** Remembers a host that was let in, to be revoked at the end. */
  remember(hostId: string): void {
    this.#hosts.push(hostId)
  }

  /** Revokes every host and retires what was admitted: nothing that the kit made can act any more. */
  async close(): Promise<void> {
    const { operator } = this.setup
    const reason = 'attack kit: played'
    for (const id of this.#hosts) await operator.call('POST', `/v1/hosts/${id}/revoke`, { reason })
    await operator.call('POST', `/v1/anchors/${this.#anchor}/retire`, { reason })
    // One that could not be opened was told of where it was asked for, and left nothing.
    const hsm = await this.#hsm?.catch(() => undefined)
    await hsm?.close(reason)
  }
}

async function readPolicy(operator: ServiceClient): Promise<PolicyDocument> {
  const { active } = (await operator.call('GET', '/v1/policies')) as { active: number }
  const answer = await operator.call('GET', `/v1/policies/${active}`)
  return preparePolicy(new Answer(answer, 'policy').raw('document')).document
}
