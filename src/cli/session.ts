import type { ClientKey } from '../attester/client-key.ts'
import { Home } from '../attester/home.ts'
import { ServiceClient, type ServiceTrust } from '../attester/service-client.ts'
import { resolve } from 'node:path'
import type { Environment } from '../config.ts'
import { ProgressLine } from './progress-line.ts'
import type { Streams } from './output.ts'

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: boolean
  readonly verbose?: boolean
  readonly home?: string
}

/** What one call of the command line works with. What is opened through it is closed when the command ends. */
export class Session {
  readonly environment: Environment
  readonly streams: Streams
  readonly progress: ProgressLine
  readonly isJson: boolean
  readonly #homeDirectory: string
  readonly #open: (() => Promise<unknown>)[] = []

  constructor(environment: Environment, streams: Streams, options: CommonOptions) {
    this.environment = environment
    this.streams = streams
    this.isJson = options.json === true
    this.progress = new ProgressLine(streams.stderr, options.verbose === true)
    this.#homeDirectory =
      options.home === undefined ? environment.homeDirectory : resolve(options.home)
  }

  /** The directory of this client. Throws PrivateFileError. */
  async openHome(): Promise<Home> {
    return await Home.open(this.#homeDirectory)
  }

  /** A client of a service, closed with the session. */
  connect(issuer: string, trust: ServiceTrust, key?: ClientKey): ServiceClient {
    const client = ServiceClient.create({ issuer, trust, key })
    this.closeLater(async () => await client.close())
    return client
  }

  /** Keeps what is to be done when the command ends, last first. */
  closeLater(close: () => Promise<unknown>): void {
    this.#open.push(close)
  }

  /** Closes everything; what fails in that does not hide how the command came out. */
  async close(): Promise<void> {
    this.progress.clear()
    for (const close of this.#open.splice(0).toReversed()) await close().catch(() => undefined)
  }
}
