import type { AttestationPlace } from '../attester/client-attestation.ts'
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
  readonly #options: CommonOptions
  readonly #homeDirectory: string
  readonly #open: (() => Promise<unknown>)[] = []

  constructor(environment: Environment, streams: Streams, options: CommonOptions) {
    this.environment = environment
    this.streams = streams
    this.#options = options
    this.isJson = options.json === true
    this.progress = new ProgressLine(streams.stderr, options.verbose === true)
    this.#homeDirectory =
      options.home === undefined ? environment.homeDirectory : resolve(options.home)
  }

  /** The directory of this client. Throws PrivateFileError. */
  async openHome(): Promise<Home> {
    return await Home.open(this.#homeDirectory)
  }

  /** A client of a service, closed with the session. A host or agent has a place for its attestation. */
  connect(
    issuer: string,
    trust: ServiceTrust,
    key?: ClientKey,
    attestation?: AttestationPlace,
  ): ServiceClient {
    const client = ServiceClient.create({ issuer, trust, key, attestation })
    this.closeLater(async () => await client.close())
    return client
  }

  /** Does a part of a long command with a session of its own, so that nothing stays open in between. */
  async within<T>(work: (part: Session) => Promise<T>): Promise<T> {
    const part = new Session(this.environment, this.streams, this.#options)
    try {
      return await work(part)
    } finally {
      await part.close()
    }
  }

  /** Says on stderr what went wrong without ending the command. */
  warn(lines: readonly string[]): void {
    this.progress.clear()
    this.streams.stderr.write(`${lines.join('\n')}\n`)
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
