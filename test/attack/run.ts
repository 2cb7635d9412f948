import { join } from 'node:path'
import { startPlayedService, type PlayedService } from '../support/played-service.ts'

/**
 * `npm run attack`: starts a service on loopback that accepts emulated TPMs, plays the whole kit against it under a
 * policy that looks at everything, then SoftHSM under one that does not let software in, and ends with the kit's exit
 * code. Nothing of it is left.
 */
const service = await startPlayedService('assay-attack')
try {
  const words = process.argv.slice(2)
  await establishPolicy(service, 2, 'policy.yaml')
  const all = await service.run(['attack', ...words], 'inherit')
  await establishPolicy(service, 3, 'policy-hardware.yaml')
  const software = await service.run(['attack', '--only', 'SoftHSM', ...words], 'inherit')
  process.exitCode = Math.max(all, software)
} finally {
  await service.stop()
}

/** Puts a policy of this folder into force. */
async function establishPolicy(
  played: PlayedService,
  version: number,
  name: string,
): Promise<void> {
  const file = join(import.meta.dirname, name)
  for (const words of [
    ['propose', file],
    ['activate', String(version), '--file', file],
  ])
    if ((await played.run(['policy', ...words])) !== 0)
      throw new Error(`assay policy ${words.join(' ')}`)
}
