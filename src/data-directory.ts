import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  X509Certificate,
} from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { ConfigError, loadConfig, type Config } from './config.ts'
import {
  createIssuing,
  createRoot,
  issuingAlgorithm,
  rootAlgorithm,
} from './core/issuance/ceremony.ts'
import type { KeyFiles } from './hsm/authority-keys.ts'
import { embeddedCrypto, exportPkcs8 } from './hsm/embedded-key.ts'
import { createThrowawaySigners } from './hsm/throwaway-key.ts'
import { takeTokenKey } from './hsm/token-made-key.ts'
import { loadAuthorityProfiles } from './shipped-tables.ts'

/** Where a service keeps what outlives it; directory 0700, files 0600. */
export interface DataDirectory {
  readonly config: Config
  readonly databasePath: string
  /** DER, issuing certificate first, root last. */
  readonly chain: readonly Uint8Array[]
  /** The first authority's key: a name among {@link authorityKeyFiles}, or a `pkcs11:` URI. */
  readonly issuingKey: string
  /** The keys of authorities; names are relative to the folder. */
  readonly authorityKeyFiles: KeyFiles
  /** PKCS#8 PEM; of a key in a PKCS#11 token its public half, PEM. */
  readonly tokenKey: string
  /** PKCS#8 PEM. */
  readonly logKey: string
  /** 32 bytes. */
  readonly privacyKey: Uint8Array
  /** The authorization policies that the service begins with, text. */
  readonly authorizationPolicies: string
}

const files = {
  config: 'config.yaml',
  authorizationPolicies: 'authorization.cedar',
  database: 'assay.sqlite',
  rootCertificate: 'ca/root.pem',
  rootKey: 'ca/root.key.pem',
  issuingCertificate: 'ca/issuing.pem',
  issuingKey: 'ca/issuing.key.pem',
  tokenKey: 'keys/token.key.pem',
  tokenPublicKey: 'keys/token.pub.pem',
  logKey: 'keys/log.key.pem',
  privacyKey: 'keys/privacy.bin',
} as const

const starterPolicies = new URL('../ca/authorization-starter.cedar', import.meta.url)

/** True where `assay init` has been. */
export function isInitialised(directory: string): boolean {
  return existsSync(join(directory, files.config))
}

/**
 * Makes a data directory: configuration, root and issuing authority, keys of tokens and log. All of it is durable
 * before the configuration, whose presence says that the rest is there.
 *
 * @throws ConfigError `config-exists`, `config-unwritable`
 */
export async function createDataDirectory(directory: string, config: Config): Promise<void> {
  if (isInitialised(directory)) throw new ConfigError('config-exists', { found: directory })
  makeFolders(directory)
  await writeAuthority(directory, config)
  await writeTokenKey(directory, config)
  writeSecret(directory, files.logKey, newKey('ed25519'))
  writeSecret(directory, files.privacyKey, randomBytes(32))
  for (const part of folders) syncFolder(join(directory, part))
  writeSecret(directory, files.authorizationPolicies, readFileSync(starterPolicies))
  writeSecret(directory, files.config, stringify(config))
  syncFolder(directory)
}

const folders = ['', 'ca', 'keys']

function makeFolders(directory: string): void {
  try {
    for (const part of folders) mkdirSync(join(directory, part), { recursive: true, mode: 0o700 })
    for (const part of folders) chmodSync(join(directory, part), 0o700)
  } catch (cause) {
    throw new ConfigError('config-unwritable', { found: directory, cause })
  }
}

async function writeTokenKey(directory: string, { keys }: Config): Promise<void> {
  if (keys.token === 'embedded') return writeSecret(directory, files.tokenKey, newKey('ec'))
  const spki = Buffer.from(await takeTokenKey(keys.token))
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  writeSecret(directory, files.tokenPublicKey, key.export({ format: 'pem', type: 'spki' }))
}

async function writeAuthority(
  directory: string,
  { trustDomain, keys: places }: Config,
): Promise<void> {
  const { subtle } = embeddedCrypto
  const issuance = { profiles: loadAuthorityProfiles(), throwaway: createThrowawaySigners() }
  const shared = { crypto: embeddedCrypto, issuance, trustDomain, now: new Date() }
  const rootKeys = await subtle.generateKey(rootAlgorithm, true, ['sign', 'verify'])
  const root = await createRoot({ ...shared, serial: randomBytes(16), keys: rootKeys })
  const issuingKeys = await takeIssuingKeys(places.issuing)
  const issuing = await createIssuing(
    { ...shared, serial: randomBytes(16), keys: issuingKeys },
    root,
  )
  writeSecret(directory, files.rootCertificate, `${root.certificate.toString('pem')}\n`)
  writeSecret(directory, files.rootKey, await exportPkcs8(rootKeys.privateKey))
  writeSecret(directory, files.issuingCertificate, `${issuing.certificate.toString('pem')}\n`)
  if (issuingKeys.privateKey !== undefined)
    writeSecret(directory, files.issuingKey, await exportPkcs8(issuingKeys.privateKey))
}

/** A key of this process, or the public half of one in a PKCS#11 token, made there where there is none. */
async function takeIssuingKeys(
  place: string,
): Promise<{ publicKey: CryptoKey; privateKey?: CryptoKey }> {
  const { subtle } = embeddedCrypto
  if (place === 'embedded')
    return await subtle.generateKey(issuingAlgorithm, true, ['sign', 'verify'])
  const spki = Buffer.from(await takeTokenKey(place))
  return { publicKey: await subtle.importKey('spki', spki, issuingAlgorithm, true, ['verify']) }
}

function newKey(type: 'ec' | 'ed25519'): string {
  const { privateKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519')
  return privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
}

/** Writes a file that was not there, 0600, to the disk. */
function writeSecret(directory: string, name: string, content: string | Uint8Array): void {
  const path = join(directory, name)
  try {
    writeFileSync(path, content, { mode: 0o600, flag: 'wx', flush: true })
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === 'EEXIST'
    throw new ConfigError(isThere ? 'config-exists' : 'config-unwritable', { found: path, cause })
  }
}

/** Makes the names in a folder durable. */
function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

/**
 * Reads a data directory back. The root's private key is not among what is read: it may be elsewhere.
 *
 * @throws ConfigError `config-missing`, `config-malformed`, `config-exposed`
 */
export function loadDataDirectory(directory: string): DataDirectory {
  const config = loadConfig(join(directory, files.config))
  requirePrivate(directory, statSync(directory).mode)
  const text = (name: string): string => readSecret(directory, name).toString('utf8')
  const privacyKey = readSecret(directory, files.privacyKey)
  if (privacyKey.length !== 32) throw malformed(files.privacyKey, '32 bytes')
  return {
    config,
    databasePath: join(directory, files.database),
    chain: loadChain(text, config.keys.issuing === 'embedded'),
    issuingKey:
      config.keys.issuing === 'embedded' ? basename(files.issuingKey) : config.keys.issuing,
    authorityKeyFiles: createKeyFiles(directory),
    tokenKey: text(config.keys.token === 'embedded' ? files.tokenKey : files.tokenPublicKey),
    logKey: text(files.logKey),
    privacyKey,
    authorizationPolicies: loadAuthorizationPolicies(directory),
  }
}

/** The keys of authorities as private files of the data directory. */
function createKeyFiles(directory: string): KeyFiles {
  const folder = dirname(files.issuingKey)
  const place = (name: string): string => join(folder, basename(name))
  return {
    list: () => readdirSync(join(directory, folder)).filter(name => name.endsWith('.key.pem')),
    read: name => readSecret(directory, place(name)).toString('utf8'),
    write: (name, pkcs8) => {
      writeSecret(directory, place(name), pkcs8)
      syncFolder(join(directory, folder))
    },
    setAside: name => {
      const aside = join(directory, folder, 'orphaned')
      mkdirSync(aside, { recursive: true, mode: 0o700 })
      renameSync(join(directory, place(name)), join(aside, basename(name)))
      syncFolder(aside)
    },
  }
}

/** A data directory from before there were policies begins with those of this version. */
function loadAuthorizationPolicies(directory: string): string {
  const path = join(directory, files.authorizationPolicies)
  return readFileSync(existsSync(path) ? path : starterPolicies, 'utf8')
}

/** Issuing certificate and root, after a look at whether they and the issuing key belong together. */
function loadChain(text: (name: string) => string, hasKey: boolean): Uint8Array[] {
  const issuing = parseCertificate(text, files.issuingCertificate)
  const root = parseCertificate(text, files.rootCertificate)
  if (!issuing.verify(root.publicKey))
    throw malformed(files.issuingCertificate, 'signed by the root')
  if (hasKey && !issuing.checkPrivateKey(parseKey(text, files.issuingKey)))
    throw malformed(files.issuingKey, 'the key of the issuing certificate')
  return [issuing.raw, root.raw]
}

function parseCertificate(text: (name: string) => string, name: string): X509Certificate {
  const pem = text(name)
  try {
    return new X509Certificate(pem)
  } catch {
    throw malformed(name, 'a certificate')
  }
}

function parseKey(
  text: (name: string) => string,
  name: string,
): ReturnType<typeof createPrivateKey> {
  const pem = text(name)
  try {
    return createPrivateKey(pem)
  } catch {
    throw malformed(name, 'a private key')
  }
}

function malformed(name: string, expected: string): ConfigError {
  return new ConfigError('config-malformed', { expected, found: name })
}

function readSecret(directory: string, name: string): Buffer {
  const path = join(directory, name)
  try {
    const descriptor = openSync(path, 'r')
    try {
      requirePrivate(path, fstatSync(descriptor).mode)
      return readFileSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError('config-missing', { found: path, cause })
  }
}

function requirePrivate(path: string, mode: number): void {
  if ((mode & 0o077) === 0) return
  throw new ConfigError('config-exposed', {
    expected: 'no rights for others',
    found: `${path} ${(mode & 0o777).toString(8)}`,
  })
}
