import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { ConfigError, loadConfig, type Config } from './config.ts'
import {
  createIssuing,
  createRoot,
  issuingAlgorithm,
  rootAlgorithm,
} from './core/issuance/ceremony.ts'
import { embeddedCrypto, exportPkcs8 } from './hsm/embedded-key.ts'

/** Where a service keeps what outlives it; directory 0700, files 0600. */
export interface DataDirectory {
  readonly config: Config
  readonly databasePath: string
  /** DER, issuing certificate first, root last. */
  readonly chain: readonly Uint8Array[]
  /** PKCS#8 PEM. */
  readonly issuingKey: string
  readonly tokenKey: string
  readonly logKey: string
  /** 32 bytes. */
  readonly privacyKey: Uint8Array
}

const files = {
  config: 'config.yaml',
  database: 'assay.sqlite',
  rootCertificate: 'ca/root.pem',
  rootKey: 'ca/root.key.pem',
  issuingCertificate: 'ca/issuing.pem',
  issuingKey: 'ca/issuing.key.pem',
  tokenKey: 'keys/token.key.pem',
  logKey: 'keys/log.key.pem',
  privacyKey: 'keys/privacy.bin',
} as const

/** True where `assay init` has been. */
export function isInitialised(directory: string): boolean {
  return existsSync(join(directory, files.config))
}

/**
 * Makes a data directory: configuration, root and issuing authority, keys of tokens and log.
 *
 * @throws ConfigError `config-exists`
 */
export async function createDataDirectory(directory: string, config: Config): Promise<void> {
  if (isInitialised(directory)) throw new ConfigError('config-exists', { found: directory })
  for (const part of ['', 'ca', 'keys'])
    mkdirSync(join(directory, part), { recursive: true, mode: 0o700 })
  chmodSync(directory, 0o700)
  await writeAuthority(directory, config.trustDomain)
  writeSecret(directory, files.tokenKey, newKey('ec'))
  writeSecret(directory, files.logKey, newKey('ed25519'))
  writeSecret(directory, files.privacyKey, randomBytes(32))
  // Last, since its presence says that the rest is there.
  writeSecret(directory, files.config, stringify(config))
}

async function writeAuthority(directory: string, trustDomain: string): Promise<void> {
  const { subtle } = embeddedCrypto
  const shared = { crypto: embeddedCrypto, trustDomain, now: new Date() }
  const rootKeys = await subtle.generateKey(rootAlgorithm, true, ['sign', 'verify'])
  const root = await createRoot({ ...shared, serial: randomBytes(16), keys: rootKeys })
  const issuingKeys = await subtle.generateKey(issuingAlgorithm, true, ['sign', 'verify'])
  const issuing = await createIssuing(
    { ...shared, serial: randomBytes(16), keys: issuingKeys },
    root,
  )
  writeSecret(directory, files.rootCertificate, `${root.certificate.toString('pem')}\n`)
  writeSecret(directory, files.rootKey, await exportPkcs8(rootKeys.privateKey))
  writeSecret(directory, files.issuingCertificate, `${issuing.certificate.toString('pem')}\n`)
  writeSecret(directory, files.issuingKey, await exportPkcs8(issuingKeys.privateKey))
}

function newKey(type: 'ec' | 'ed25519'): string {
  const { privateKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519')
  return privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
}

function writeSecret(directory: string, name: string, content: string | Uint8Array): void {
  writeFileSync(join(directory, name), content, { mode: 0o600, flag: 'wx' })
}

/**
 * Reads a data directory back. The root's private key is not among what is read: it may be elsewhere.
 *
 * @throws ConfigError `config-missing`, `config-malformed`, `config-exposed`
 */
export function loadDataDirectory(directory: string): DataDirectory {
  const config = loadConfig(join(directory, files.config))
  const text = (name: string): string => readSecret(directory, name).toString('utf8')
  return {
    config,
    databasePath: join(directory, files.database),
    chain: [files.issuingCertificate, files.rootCertificate].map(
      name => new X509Certificate(text(name)).raw,
    ),
    issuingKey: text(files.issuingKey),
    tokenKey: text(files.tokenKey),
    logKey: text(files.logKey),
    privacyKey: readSecret(directory, files.privacyKey),
  }
}

function readSecret(directory: string, name: string): Buffer {
  const path = join(directory, name)
  try {
    const { mode } = statSync(path)
    if ((mode & 0o077) !== 0) {
      throw new ConfigError('config-exposed', {
        expected: '0600',
        found: `${path} ${(mode & 0o777).toString(8)}`,
      })
    }
    return readFileSync(path)
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError('config-missing', { found: path, cause })
  }
}
