import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { freePort } from '../support/free-port.ts'

/**
 * `npm run attack`: starts a service on loopback that accepts emulated TPMs, plays the whole kit against it, and ends
 * with the kit's exit code. Nothing of it is left.
 */
const program = join(import.meta.dirname, '..', '..', 'src', 'cli', 'assay.ts')

const directory = await createPrivateDirectory('assay-attack')
const env = {
  ...process.env,
  ASSAY_HOME: join(directory, 'home'),
  ASSAY_DATA: join(directory, 'data'),
  ASSAY_LOG_LEVEL: 'fatal',
}

function start(words: readonly string[], output: 'inherit' | 'ignore'): ReturnType<typeof spawn> {
  const flags = ['--disable-warning=ExperimentalWarning', program, ...words]
  return spawn(process.execPath, flags, { env, stdio: ['ignore', output, output] })
}

async function run(words: readonly string[], output: 'inherit' | 'ignore'): Promise<number> {
  const [code] = (await once(start(words, output), 'exit')) as [number | null]
  return code ?? 1
}

/** Commands are refused until the service listens. */
async function waitUntilReady(): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    const child = start(['anchor', 'list'], 'ignore')
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code === 0) return
  }
  throw new Error('the service did not answer')
}

/** A policy that looks at the logs of a boot: without one, forged logs are not played. */
async function establishPolicy(): Promise<void> {
  const file = join(import.meta.dirname, 'policy.yaml')
  for (const words of [
    ['propose', file],
    ['activate', '2', '--file', file],
  ])
    if ((await run(['policy', ...words], 'ignore')) !== 0)
      throw new Error(`assay policy ${words.join(' ')}`)
}

try {
  const port = await freePort()
  const address = ['--issuer', `https://localhost:${port}`, '--listen', `127.0.0.1:${port}`]
  await run(['init', ...address, '--allow-emulated'], 'ignore')
  const service = start(['serve', '--no-init'], 'ignore')
  try {
    await waitUntilReady()
    await establishPolicy()
    process.exitCode = await run(['attack', ...process.argv.slice(2)], 'inherit')
  } finally {
    service.kill('SIGTERM')
    await once(service, 'exit')
  }
} finally {
  discardDirectory(directory)
}
