import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { stringify } from 'yaml'
import {
  authorityFiles,
  createAuthorityFiles,
  loadAuthorityChain,
  verifyOutsideAuthority,
  writeOutsideAuthority,
  type OutsideAuthority,
} from './authority-files.ts'
import { ConfigError, loadConfig, type Config } from './config.ts'
import type { KeyFiles } from './hsm/authority-keys.ts'
import { encodePlainKey, KeyCipher } from './hsm/key-cipher.ts'
import { encodePrivacyKey, parsePrivacyKey } from './hsm/privacy-key.ts'
import { takeTokenKey } from './hsm/token-made-key.ts'
import { privacyKeyFiles, ServiceKeyFiles } from './key-files.ts'
import {
  createPassphrase,
  findPassphraseSource,
  loadPassphrases,
  type PassphraseSources,
} from './key-passphrase.ts'
import type { CreatedTokenKey } from './ports/token-key.ts'
import { readSecret, requirePrivate, syncFolder, writeSecret } from './private-files.ts'
import { loadStarterPolicies } from './shipped-tables.ts'

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
  /** The keys that sign tokens, those on the disk. */
  readonly tokenKeyFiles: KeyFiles
  /** The first of them, as the directory was made with it. Throws as {@link loadDataDirectory}. */
  readonly firstTokenKey: () => CreatedTokenKey
  /** PKCS#8 PEM, opened; of a key in a PKCS#11 token its public half, PEM. */
  readonly logKey: string
  /** 32 bytes. */
  readonly privacyKey: Uint8Array
  /** The authorization policies that the service begins with, text. */
  readonly authorizationPolicies: string
  /** Names of key files that are not encrypted. */
  readonly plainKeys: readonly string[]
}

const files = {
  config: 'config.yaml',
  authorizationPolicies: 'authorization.cedar',
  database: 'assay.sqlite',
  tokenKey: 'keys/token.key.pem',
  tokenPublicKey: 'keys/token.pub.pem',
  logKey: 'keys/log.key.pem',
  logPublicKey: 'keys/log.pub.pem',
} as const

/** True where `assay init` has been. */
export function isInitialised(directory: string): boolean {
  return existsSync(join(directory, files.config))
}

/**
 * Makes a data directory: configuration, root and issuing authority, keys of tokens and log, all keys encrypted. With an
 * authority from elsewhere no root is made, and its key is never here. Where
 * no passphrase is given, one is made and kept in the directory. All of it is durable before the configuration, whose
 * presence says that the rest is there.
 *
 * @throws ConfigError `config-exists`, `config-unwritable`; KeyPassphraseError; of an authority from elsewhere, what
 *   {@link verifyOutsideAuthority} throws, before anything is written
 */
export async function createDataDirectory(
  directory: string,
  config: Config,
  sources: PassphraseSources = {},
  outside?: OutsideAuthority,
): Promise<void> {
  if (isInitialised(directory)) throw new ConfigError('config-exists', { found: directory })
  if (outside !== undefined) await verifyOutsideAuthority(outside, config)
  makeFolders(directory)
  if (findPassphraseSource(directory, sources) === undefined) createPassphrase(directory)
  const keys = openKeyFiles(directory, sources)
  if (outside === undefined) await createAuthorityFiles(directory, keys, config)
  else writeOutsideAuthority(directory, keys, outside)
  await writeTokenKey(directory, keys, config)
  await writeLogKey(directory, keys, config)
  keys.write(privacyKeyFiles.key, encodePlainKey(encodePrivacyKey(randomBytes(32))))
  for (const part of folders) syncFolder(join(directory, part))
  writeSecret(directory, files.authorizationPolicies, loadStarterPolicies())
  writeSecret(directory, files.config, stringify(config))
  syncFolder(directory)
}

function openKeyFiles(
  directory: string,
  sources: PassphraseSources,
  further: readonly string[] = [],
): ServiceKeyFiles {
  const passphrases = (): string[] => [...loadPassphrases(directory, sources), ...further]
  return new ServiceKeyFiles(directory, new KeyCipher(passphrases))
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

async function writeTokenKey(
  directory: string,
  keys: ServiceKeyFiles,
  { keys: places }: Config,
): Promise<void> {
  if (places.token === 'embedded') return keys.write(files.tokenKey, newKey('ec'))
  writePublicKey(directory, files.tokenPublicKey, await takeTokenKey(places.token))
}

/** Checkpoints are signed with Ed25519 and nothing else: a token that does not know it is refused. */
async function writeLogKey(
  directory: string,
  keys: ServiceKeyFiles,
  { keys: places }: Config,
): Promise<void> {
  if (places.log === 'embedded') return keys.write(files.logKey, newKey('ed25519'))
  writePublicKey(directory, files.logPublicKey, await takeTokenKey(places.log, 'Ed25519'))
}

function writePublicKey(directory: string, name: string, spki: Uint8Array): void {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  writeSecret(directory, name, key.export({ format: 'pem', type: 'spki' }))
}

function newKey(type: 'ec' | 'ed25519'): string {
  const { privateKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519')
  return privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
}

/**
 * Reads a data directory back. The root's private key is not among what is read: it may be elsewhere.
 *
 * @param further passphrases that open keys too, while one is exchanged for another
 * @throws ConfigError `config-missing`, `config-malformed`, `config-exposed`; KeyPassphraseError
 */
export function loadDataDirectory(
  directory: string,
  sources: PassphraseSources = {},
  further: readonly string[] = [],
): DataDirectory {
  const config = loadConfig(join(directory, files.config))
  requirePrivate(directory, statSync(directory).mode)
  const keys = openKeyFiles(directory, sources, further)
  const isEmbedded = config.keys.issuing === 'embedded'
  return {
    config,
    databasePath: join(directory, files.database),
    chain: loadAuthorityChain(directory, isEmbedded ? keys : undefined),
    issuingKey: isEmbedded ? basename(authorityFiles.issuingKey) : config.keys.issuing,
    authorityKeyFiles: keys.folder('ca'),
    tokenKeyFiles: keys.folder('keys'),
    firstTokenKey: () => loadFirstTokenKey(directory, keys, config),
    logKey:
      config.keys.log === 'embedded'
        ? keys.read(files.logKey)
        : readSecret(directory, files.logPublicKey).toString('utf8'),
    privacyKey: loadPrivacyKey(directory, keys),
    authorizationPolicies: loadAuthorizationPolicies(directory),
    plainKeys: keys.listPlain(),
  }
}

function loadFirstTokenKey(
  directory: string,
  keys: ServiceKeyFiles,
  { keys: { token } }: Config,
): CreatedTokenKey {
  const isEmbedded = token === 'embedded'
  const name = isEmbedded ? files.tokenKey : files.tokenPublicKey
  const pem = isEmbedded ? keys.read(name) : readSecret(directory, name)
  return {
    publicKey: new Uint8Array(publicHalfOf(pem, name)),
    keyReference: isEmbedded ? basename(name) : token,
  }
}

function publicHalfOf(pem: string | Uint8Array, name: string): Uint8Array {
  try {
    return createPublicKey(Buffer.from(pem)).export({ format: 'der', type: 'spki' })
  } catch {
    throw malformed(name, 'a key')
  }
}

function loadPrivacyKey(directory: string, keys: ServiceKeyFiles): Uint8Array {
  const { plain, key } = privacyKeyFiles
  if (existsSync(join(directory, plain)) && !existsSync(join(directory, key))) {
    const bytes = readSecret(directory, plain)
    if (bytes.length === 32) return bytes
    throw malformed(plain, '32 bytes')
  }
  return parsePrivacyKey(keys.open(key), key)
}

/** A data directory from before there were policies begins with those of this version. */
function loadAuthorizationPolicies(directory: string): string {
  const path = join(directory, files.authorizationPolicies)
  return existsSync(path) ? readFileSync(path, 'utf8') : loadStarterPolicies()
}

function malformed(name: string, expected: string): ConfigError {
  return new ConfigError('config-malformed', { expected, found: name })
}
