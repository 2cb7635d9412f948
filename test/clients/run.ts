import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Home } from '../../src/attester/home.ts'
import { encodePem } from '../../src/attester/pem.ts'
import { startPlayedService, type PlayedService } from '../support/played-service.ts'
import { assayVerifierSteps } from './assay-verifier.ts'
import { joseSteps } from './jose.ts'
import { mutualTlsSteps } from './mutual-tls.ts'
import { oauth4webapiSteps } from './oauth4webapi.ts'
import { openidClientSteps } from './openid-client.ts'
import type { Step } from './step.ts'
import { openWorld, type ClientsWorld } from './world.ts'

/**
 * `npm run clients`: libraries and programs that nobody here wrote fetch, verify, exchange and revoke tokens of a service
 * that is started for them. A line for each; the exit code says whether all of them got through.
 */
const steps: readonly Step[] = [
  ...openidClientSteps,
  ...oauth4webapiSteps,
  ...joseSteps,
  ...assayVerifierSteps,
  ...mutualTlsSteps,
]

const playing = 'ASSAY_CLIENTS_PLAY'
const given = process.env[playing]
process.exitCode =
  given === undefined ? await start() : await play(JSON.parse(given) as PlayedService)

/** The clients run in a process that trusts the service's root from its start, as an operator would install it. */
async function start(): Promise<number> {
  const service = await startPlayedService('assay-clients')
  try {
    const root = join(service.home, 'clients-root.pem')
    const { issuer, home, data } = service
    const known = await (await Home.open(home)).loadService()
    await writeFile(root, encodePem('CERTIFICATE', known.root))
    const env = {
      ...service.env,
      NODE_EXTRA_CA_CERTS: root,
      [playing]: JSON.stringify({ issuer, home, data }),
    }
    const flags = ['--disable-warning=ExperimentalWarning', import.meta.filename]
    const child = spawn(process.execPath, flags, { env, stdio: 'inherit' })
    const [code] = (await once(child, 'exit')) as [number | null]
    return code ?? 1
  } finally {
    await service.stop()
  }
}

async function play(service: PlayedService): Promise<number> {
  const world = await openWorld(service)
  let failed = 0
  for (const step of steps) failed += (await playStep(step, world)) ? 0 : 1
  await world.close()
  console.log(`${steps.length - failed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

async function playStep(step: Step, world: ClientsWorld): Promise<boolean> {
  const { client, does } = step
  try {
    await step.run(world)
    console.log(`ok      ${client}: ${does}`)
    return true
  } catch (error) {
    const { message, cause } = error instanceof Error ? error : new Error(String(error))
    const why = cause === undefined ? message : `${message} (${JSON.stringify(cause)})`
    console.log(`FAILED  ${client}: ${does}\n        ${why.slice(0, 400)}`)
    return false
  }
}
