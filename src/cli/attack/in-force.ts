import type { ServiceClient } from '../../attester/service-client.ts'
import { CommandError } from '../command-error.ts'

/** What the kit brought into force at a service and has to take back, each by the path of the API that does. */
export class InForce {
  readonly #operator: ServiceClient
  readonly #admitted = new Set<string>()
  readonly #hosts = new Set<string>()

  constructor(operator: ServiceClient) {
    this.#operator = operator
  }

  /** @param path retires an anchor, or a key that was registered */
  addAdmitted(path: string): void {
    this.#admitted.add(path)
  }

  addHost(id: string): void {
    this.#hosts.add(`/v1/hosts/${id}/revoke`)
  }

  /**
   * Takes everything back: first what lets hosts in, then the hosts. A call that fails keeps no other from being made,
   * and what it was for is tried again the next time.
   *
   * @param cause why the kit ends, where it failed
   * @throws CommandError `attack-left`, naming each path that is still to be called; its cause is an AggregateError of
   *   that failure and of what the service answered
   */
  async takeBack(reason: string, cause?: unknown): Promise<void> {
    const failures = [
      ...(await this.#call(this.#admitted, reason)),
      ...(await this.#call(this.#hosts, reason)),
    ]
    if (failures.length === 0) return
    const left = [...this.#admitted, ...this.#hosts].join(' ')
    const causes = cause === undefined ? failures : [cause, ...failures]
    throw new CommandError('attack-left', {
      expected: 'everything taken back',
      found: cause === undefined ? left : `${left}; after: ${messageOf(cause)}`,
      cause: new AggregateError(causes, `still in force: ${left}`),
    })
  }

  async #call(paths: Set<string>, reason: string): Promise<unknown[]> {
    const calls = [...paths].map(async path => {
      await this.#operator.call('POST', path, { reason })
      paths.delete(path)
    })
    const outcomes = await Promise.allSettled(calls)
    return outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason] : []))
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
