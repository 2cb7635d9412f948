import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openFileKey } from '../../src/attester/file-key.ts'
import { Home } from '../../src/attester/home.ts'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { createManufacturer, type Manufacturer } from '../../swtpm/manufacturer.ts'
import { manufactureTpm, startTpm, type SoftwareTpm } from '../../swtpm/software-tpm.ts'
import { freePort } from '../support/free-port.ts'
import type { Place } from './assay.ts'
import { createTokens, type Tokens } from './hsm.ts'

/** Everything the story needs, in one directory that goes with it. */
export interface World {
  readonly issuer: string
  readonly address: string
  /** The operator's client, the service's own, and those of two machines. */
  readonly operator: Place
  readonly host: Place
  readonly hostTpm: SoftwareTpm
  readonly otherTpm: SoftwareTpm
  /** A machine with an HSM and no TPM. */
  readonly hsmHost: Place
  readonly tokens: Tokens
  /** The manufacturer's root, a file. */
  readonly rootFile: string
  /** Undoes it all, last first; what is registered later is undone earlier. */
  undo(step: () => Promise<unknown>): void
  close(): Promise<void>
}

/** Manufactures two TPMs and two HSM tokens and lays out who is who. Nothing of it outlives `close`. */
export async function createWorld(): Promise<World> {
  const directory = await createPrivateDirectory('assay-demo')
  const steps: (() => Promise<unknown>)[] = [async () => discardDirectory(directory)]
  const undo = (step: () => Promise<unknown>): void => void steps.push(step)
  const close = async (): Promise<void> => {
    for (const step of steps.splice(0).toReversed()) await step().catch(() => undefined)
  }
  try {
    const manufacturer = await createManufacturer(join(directory, 'maker'))
    const [hostTpm, otherTpm] = await Promise.all(
      ['host', 'other'].map(async name => await createTpm(directory, name, manufacturer)),
    )
    if (hostTpm === undefined || otherTpm === undefined) throw new TypeError('two TPMs')
    undo(async () => await hostTpm.stop())
    undo(async () => await otherTpm.stop())
    const rootFile = join(directory, 'maker-root.pem')
    await writeFile(rootFile, manufacturer.rootCertificate)
    const tokens = await createTokens(directory)
    const port = await freePort()
    const home = (name: string): string => join(directory, name)
    return {
      issuer: `https://localhost:${port}`,
      address: `127.0.0.1:${port}`,
      operator: {
        ...tokens.environment,
        ASSAY_HOME: home('operator-home'),
        ASSAY_DATA: home('service'),
      },
      host: { ASSAY_HOME: home('host-home'), ASSAY_TCTI: hostTpm.tcti },
      hostTpm,
      otherTpm,
      hsmHost: {
        ...tokens.environment,
        ASSAY_HOME: home('hsm-host-home'),
        ASSAY_PIN_SOURCE: tokens.hostPin,
      },
      tokens,
      rootFile,
      undo,
      close,
    }
  } catch (cause) {
    await close()
    throw cause
  }
}

async function createTpm(
  directory: string,
  name: string,
  manufacturer: Manufacturer,
): Promise<SoftwareTpm> {
  const dir = join(directory, `tpm-${name}`)
  await manufactureTpm({ dir, manufacturer })
  return await startTpm({ dir })
}

/** The operator of a home as a client of its service. */
export async function connectOperator(place: Place): Promise<ServiceClient> {
  const home = await Home.open(place['ASSAY_HOME'] ?? '')
  const { issuer, root } = await home.loadService()
  const { key } = JSON.parse(await readFile(home.path('operator.json'), 'utf8')) as { key: string }
  const signer = await openFileKey(home.path(key.replace(/^file:/, '')))
  return ServiceClient.create({ issuer, trust: { root }, key: signer })
}
