import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EmulatorError } from './emulator-error.ts'
import { run } from './programs.ts'

/** What a token is made with. */
export interface TokenOptions {
  /** A directory of the token's own; made with mode 0700, removed by `discard`. */
  readonly dir: string
  readonly label: string
  readonly pin: string
  readonly soPin: string
}

/** An initialised PKCS#11 token in software. */
export interface SoftToken {
  /** The PKCS#11 module to load. */
  readonly modulePath: string
  /** What the environment of a process that loads the module must hold before C_Initialize. */
  readonly environment: { readonly SOFTHSM2_CONF: string }
  readonly tokenLabel: string
  /** Removes the token and its directory. */
  discard(): Promise<void>
}

// Debian and Ubuntu first, then what other distributions use.
const modulePaths = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/lib/pkcs11/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
]

/**
 * The path of SoftHSM's PKCS#11 module on this machine.
 *
 * @throws {EmulatorError} softhsm-missing
 */
export function softHsmModule(): string {
  const path = modulePaths.find(existsSync)
  if (path === undefined)
    throw new EmulatorError('softhsm-missing', { expected: `one of ${modulePaths.join(', ')}` })
  return path
}

/**
 * Makes a token in a directory of its own, with its own SoftHSM configuration: no other token is seen or touched.
 *
 * @throws {EmulatorError} softhsm-missing, emulator-failed
 */
export async function createToken({ dir, label, pin, soPin }: TokenOptions): Promise<SoftToken> {
  const modulePath = softHsmModule()
  const tokens = join(dir, 'tokens')
  await mkdir(tokens, { recursive: true, mode: 0o700 })
  const environment = { SOFTHSM2_CONF: join(dir, 'softhsm2.conf') }
  const lines = [
    `directories.tokendir = ${tokens}`,
    'objectstore.backend = file',
    'log.level = ERROR',
    '',
  ]
  await writeFile(environment.SOFTHSM2_CONF, lines.join('\n'), { mode: 0o600 })
  const secrets = ['--pin', pin, '--so-pin', soPin]
  await run('softhsm2-util', ['--init-token', '--free', '--label', label, ...secrets], {
    env: environment,
    missing: 'softhsm-missing',
  })
  return {
    modulePath,
    environment,
    tokenLabel: label,
    discard: async () => await rm(dir, { recursive: true, force: true }),
  }
}
