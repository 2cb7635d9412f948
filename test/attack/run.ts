import { join } from 'node:path'
import { startPlayedService, type PlayedService } from '../support/played-service.ts'

/**
 * `npm run attack`: starts a service on loopback that accepts emulated TPMs, plays the whole kit against it, and ends
 * with the kit's exit code. Nothing of it is left.
 */
const service = await startPlayedService('assay-attack')
try {
  await establishPolicy(service)
  process.exitCode = await service.run(['attack', ...process.argv.slice(2)], 'inherit')
} finally {
  await service.stop()
}

/** A policy that looks at the logs of a boot: without one, forged logs are not played. */
async function establishPolicy(played: PlayedService): Promise<void> {
  const file = join(import.meta.dirname, 'policy.yaml')
  for (const words of [
    ['propose', file],
    ['activate', '2', '--file', file],
  ])
    if ((await played.run(['policy', ...words])) !== 0)
      throw new Error(`assay policy ${words.join(' ')}`)
}
