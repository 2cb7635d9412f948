import { mkdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { addEndorsementKey, storeIssuer } from './endorsement-keys.ts'
import type { EndorsementKeyType } from './endorsement-keys.ts'
import { createPrivateDirectory, discardDirectory } from './leftovers.ts'
import { createManufacturer } from './manufacturer.ts'
import type { Manufacturer } from './manufacturer.ts'
import { run } from './programs.ts'
import { startSwtpm } from './swtpm-process.ts'
import { startProxy } from './tpm-proxy.ts'

/** What a TPM is manufactured with. */
export interface ManufactureOptions {
  /** The state directory; made with mode 0700 when it does not exist. */
  readonly dir: string
  readonly manufacturer: Manufacturer
  /** More endorsement keys with certificates than RSA-2048 (index 0x01C00002) and P-384 (0x01C00016). */
  readonly endorsementKeys?: readonly EndorsementKeyType[]
  /** Comma-separated PCR banks; only sha256 is active unless said otherwise. */
  readonly pcrBanks?: string
}

/** How a TPM runs. */
export interface StartOptions {
  /** The state directory that the TPM was manufactured in. */
  readonly dir: string
  /** How long each answer is held back: a discrete chip takes 20 to 600 ms, swtpm less than one. */
  readonly latencyMilliseconds?: number
}

/** A running software TPM. */
export interface SoftwareTpm {
  /** The TCTI string to open it with. */
  readonly tcti: string
  /** The socket of the TPM itself, behind the latency if there is one. */
  readonly socketPath: string
  /** Powers it off and on again, in order (TPM2_Shutdown) or not: a TPM Reset, which takes all transient objects and sessions. */
  reset(how?: 'orderly' | 'abrupt'): Promise<void>
  /** Powers it off and removes its sockets; the state stays. */
  stop(): Promise<void>
}

/**
 * Manufactures a TPM: its state, endorsement keys, their certificates and the one of their issuer in its NV memory. Any
 * number can be made, one directory each, by one manufacturer.
 *
 * @throws {EmulatorError} emulator-program-missing, emulator-failed
 */
export async function manufactureTpm(options: ManufactureOptions): Promise<void> {
  const { dir, manufacturer, endorsementKeys = [], pcrBanks = 'sha256' } = options
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const configuration = join(dir, 'setup.conf')
  await writeFile(configuration, setupConfiguration(manufacturer, pcrBanks))
  // As root, swtpm_setup would change to the user tss, who may not write here.
  const user = ['--runas', userInfo().username]
  await run('swtpm_setup', [
    '--tpm2',
    '--tpmstate',
    dir,
    '--create-ek-cert',
    '--config',
    configuration,
    ...user,
  ])
  await completeTpm(dir, endorsementKeys, manufacturer)
}

/**
 * Starts a TPM on a Unix socket in a private directory of its own. It ends with this process at the latest.
 *
 * @throws {EmulatorError} emulator-program-missing, emulator-not-listening
 */
export async function startTpm({ dir, latencyMilliseconds }: StartOptions): Promise<SoftwareTpm> {
  const sockets = await createPrivateDirectory('swtpm')
  const socketPath = join(sockets, 'tpm')
  let running = await startSwtpm(dir, socketPath)
  const proxy =
    latencyMilliseconds === undefined
      ? undefined
      : await startProxy({ target: socketPath, path: join(sockets, 'slow'), latencyMilliseconds })
  return {
    tcti: proxy?.tcti ?? `swtpm:path=${socketPath}`,
    socketPath,
    reset: async (how = 'orderly') => {
      await running.end(how)
      running = await startSwtpm(dir, socketPath)
    },
    stop: async () => {
      await proxy?.stop()
      await running.end('orderly')
      discardDirectory(sockets)
    },
  }
}

/** A TPM with all it came from, for a test or a demonstration that needs one and nothing particular of it. */
export interface TestBench extends SoftwareTpm {
  readonly manufacturer: Manufacturer
}

/** Founds a manufacturer, manufactures a TPM and starts it; `stop` leaves nothing behind. */
export async function startTestBench(
  options: Omit<ManufactureOptions & StartOptions, 'dir' | 'manufacturer'> = {},
): Promise<TestBench> {
  const { latencyMilliseconds, ...manufacture } = options
  const home = await createPrivateDirectory('assay-tpm')
  const manufacturer = await createManufacturer(join(home, 'manufacturer'))
  const dir = join(home, 'state')
  await manufactureTpm({ ...manufacture, dir, manufacturer })
  const tpm = await startTpm({
    dir,
    ...(latencyMilliseconds === undefined ? {} : { latencyMilliseconds }),
  })
  return {
    ...tpm,
    manufacturer,
    stop: async () => {
      await tpm.stop()
      discardDirectory(home)
    },
  }
}

/** What swtpm_setup leaves out: the certificate of the issuer, and endorsement keys of other kinds. */
async function completeTpm(
  dir: string,
  types: readonly EndorsementKeyType[],
  manufacturer: Manufacturer,
): Promise<void> {
  const tpm = await startTpm({ dir })
  const scratch = await createPrivateDirectory('ek-certificate')
  try {
    await storeIssuer(tpm.tcti, manufacturer)
    for (const type of types) await addEndorsementKey(tpm.tcti, type, manufacturer, scratch)
  } finally {
    await tpm.stop()
    discardDirectory(scratch)
  }
}

function setupConfiguration(manufacturer: Manufacturer, pcrBanks: string): string {
  return [
    'create_certs_tool = swtpm_localca',
    `create_certs_tool_config = ${manufacturer.configuration}`,
    `create_certs_tool_options = ${manufacturer.options}`,
    `active_pcr_banks = ${pcrBanks}`,
    '',
  ].join('\n')
}
