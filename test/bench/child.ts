import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Another process of a bench: takes an order, answers with a report. Ends with this one. */
export class BenchProcess<Order, Report> {
  readonly #child: ChildProcess
  readonly #ended: Promise<never>

  constructor(module: string, args: readonly string[] = [], execArgv: readonly string[] = []) {
    this.#child = fork(new URL(module, import.meta.url), args, {
      execArgv: ['--disable-warning=ExperimentalWarning', ...execArgv],
      // What it says to people is not part of what a bench prints.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#ended = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`${module} ended with ${String(code)}`)
    })
    this.#ended.catch(() => undefined)
  }

  /** The next report. */
  async report(): Promise<Report> {
    const [report] = (await Promise.race([once(this.#child, 'message'), this.#ended])) as [Report]
    return report
  }

  async order(order: Order): Promise<Report> {
    const report = this.report()
    this.#child.send(order as object)
    return await report
  }

  /** Gives a last order and waits for the end. */
  async end(order?: Order): Promise<void> {
    if (order === undefined) this.#child.disconnect()
    else this.#child.send(order as object)
    await this.#ended.catch(() => undefined)
  }
}
