import { Option } from 'commander'
import { resolve } from 'node:path'
import type { RunningService } from '../main.ts'
import { defineCommand, type CommandAnswer, type CommandRow } from './command.ts'
import { createService, type CreatedService } from './create-service.ts'
import { renderCreated } from './init-command.ts'
import { writeAnswer } from './output.ts'
import { defaultIssuer, prepareConfig } from './service-config.ts'
import type { Session } from './session.ts'
import { renderFacts } from './table.ts'

interface ServeOptions {
  readonly data?: string
  readonly init?: boolean
}

/** `assay serve` */
export const serveCommand: CommandRow = defineCommand<ServeOptions>({
  name: 'serve',
  summary: 'Runs the service until it is told to stop.',
  details: [
    `Where the data directory holds no service yet, one is made with embedded defaults, and said so: issuer ${defaultIssuer}, trust domain localhost, this machine alone, software TPMs refused, the first operator’s key in a file of ASSAY_HOME. That is for a first look; make a service of your own with assay init. With --no-init nothing is made.`,
    'Logs JSON lines to stderr at ASSAY_LOG_LEVEL (info). SIGINT and SIGTERM end it once what is under way is finished; a second signal ends it at once.',
  ],
  examples: ['assay serve', 'assay serve --data /var/lib/assay --no-init'],
  options: [
    new Option('--data <directory>', 'where the service keeps its state (ASSAY_DATA)'),
    new Option('--no-init', 'refuse to start where no service was made'),
  ],
  run: async ({ session, options }) => {
    const { environment } = session
    const dataDirectory =
      options.data === undefined ? environment.dataDirectory : resolve(options.data)
    const { createServiceLog, requestLogOf } = await import('./service-log.ts')
    const log = createServiceLog(environment.logLevel)
    const created = await createWhereNone(session, dataDirectory, options)
    const { startService } = await import('../main.ts')
    const running = await startService({
      dataDirectory,
      log: requestLogOf(log),
      passphrase: environment.keyPassphrase,
    })
    session.progress.clear()
    writeAnswer(session.streams, answerOf(running, dataDirectory, created), session.isJson)
    const { issuer, address } = running
    log.info({ issuer, address: address.address, port: address.port }, 'listening')
    const signal = await nextSignal()
    log.info({ signal }, 'stopping')
    await running.stop()
    log.info('stopped')
    return undefined
  },
})

async function createWhereNone(
  session: Session,
  dataDirectory: string,
  { init }: ServeOptions,
): Promise<CreatedService | undefined> {
  // Without --no-init, and where nothing is there; what is missing otherwise is said by whoever loads it.
  const { isInitialised } = await import('../data-directory.ts')
  if (init === false || isInitialised(dataDirectory)) return undefined
  const created = await createService(session, {
    dataDirectory,
    config: prepareConfig({}),
    operatorName: 'admin',
    key: { choice: 'file', create: false, tcti: session.environment.tcti },
  })
  session.progress.clear()
  session.streams.stderr.write(`${noticeOf(created).join('\n')}\n`)
  return created
}

/** Waits for a signal to end; the one after that ends the process as it always would. */
async function nextSignal(): Promise<NodeJS.Signals> {
  return await new Promise(received => {
    const signals = ['SIGINT', 'SIGTERM'] as const
    const listener = (signal: NodeJS.Signals): void => {
      for (const name of signals) process.off(name, listener)
      received(signal)
    }
    for (const name of signals) process.on(name, listener)
  })
}

function answerOf(
  { issuer, fingerprint, address }: RunningService,
  dataDirectory: string,
  created: CreatedService | undefined,
): CommandAnswer {
  const listens = `${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
  return {
    json: {
      issuer,
      fingerprint,
      address: { host: address.address, port: address.port },
      dataDirectory,
      ...(created === undefined ? {} : { created }),
    },
    lines: [
      `The service listens on ${listens}.`,
      ...renderFacts([
        ['issuer', issuer],
        ['fingerprint', fingerprint],
      ]),
    ],
  }
}

function noticeOf(created: CreatedService): string[] {
  return [
    '*** There was no service here: one was made with embedded defaults, for a first look. ***',
    ...renderCreated(created),
    'For a service of your own: assay init --issuer https://… (see assay init --help).',
    '',
  ]
}
