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
import { InForce } from './in-force.ts'
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
 * was enrolled on the way, so that all but the class can be taken back.
 */
export class AttackWorld {
  readonly setup: AttackSetup
  readonly manufacturer: EmulatedManufacturer
  readonly className: string
  /** The policy in force at the service. */
  readonly policy: PolicyDocument
  readonly #inForce: InForce
  #hsm: Promise<HsmWorld> | undefined

  private constructor(
    setup: AttackSetup,
    parts: Pick<AttackWorld, 'manufacturer' | 'className' | 'policy'>,
    inForce: InForce,
  ) {
    this.setup = setup
    this.manufacturer = parts.manufacturer
    this.className = parts.className
    this.policy = parts.policy
    this.#inForce = inForce
  }

  /**
   * Admits a throwaway manufacturer at assurance `emulated` and registers a class; where that fails, nothing stays
   * admitted.
   *
   * @throws RemoteError; CommandError `attack-left`
   */
  static async open(setup: AttackSetup): Promise<AttackWorld> {
    const { operator, now } = setup
    const policy = await readPolicy(operator)
    const manufacturer = createEmulatedManufacturer(now)
    const className = `attack-${randomBytes(6).toString('hex')}`
    const inForce = new InForce(operator)
    inForce.addAdmitted(await admit(operator, className, manufacturer))
    try {
      await registerClass(operator, className)
    } catch (cause) {
      await inForce.takeBack('attack kit: not set up', cause)
      throw cause
    }
    return new AttackWorld(setup, { manufacturer, className, policy }, inForce)
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
    this.#hsm ??= openHsmWorld(operator, this.className, now, this.#inForce)
    return await this.#hsm
  }

  /** Remembers a host that was let in, to be revoked at the end. */
  remember(hostId: string): void {
    this.#inForce.addHost(hostId)
  }

  /**
   * Retires what was admitted and revokes every host: nothing that the kit made can act any more. The class stays, since
   * the service takes none back; it has no host left. May be called again where it failed.
   *
   * @param cause why the kit ends, where it failed
   * @throws CommandError `attack-left`
   */
  async close(cause?: unknown): Promise<void> {
    // What is still being registered is waited for; what became of it was told where it was asked for.
    await this.#hsm?.catch(() => undefined)
    await this.#inForce.takeBack('attack kit: played', cause)
  }
}

/** Gives the path that retires the anchor. */
async function admit(
  operator: ServiceClient,
  name: string,
  { root, vendor }: EmulatedManufacturer,
): Promise<string> {
  const { fingerprint } = (await operator.call('POST', '/v1/anchors', {
    certificate: encodeBase64url(root.certificate),
    name,
    vendor,
    assurance: 'emulated',
    source: 'attack kit: throwaway manufacturer',
  })) as { fingerprint: string }
  return `/v1/anchors/${fingerprint}/retire`
}

async function registerClass(operator: ServiceClient, name: string): Promise<void> {
  const audiences = [operator.issuer]
  const form = { name, audiences, scopes: [], hosts: ['*'], tokenLifetimeSeconds: 60 }
  await operator.call('POST', '/v1/classes', form)
}

async function readPolicy(operator: ServiceClient): Promise<PolicyDocument> {
  const { active } = (await operator.call('GET', '/v1/policies')) as { active: number }
  const answer = await operator.call('GET', `/v1/policies/${active}`)
  return preparePolicy(new Answer(answer, 'policy').raw('document')).document
}
