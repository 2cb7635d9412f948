import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { decodePemBundle, encodePem } from './attester/pem.ts'
import { ConfigError, type Config } from './config.ts'
import { CeremonyError } from './core/ceremony/error.ts'
import { verifyIssuingChain } from './core/ceremony/issuing-chain.ts'
import {
  createIssuing,
  createRoot,
  issuingAlgorithm,
  rootAlgorithm,
} from './core/issuance/ceremony.ts'
import { importJwk } from './core/jose/jwk.ts'
import { createEmbeddedSigner, embeddedCrypto, exportPkcs8 } from './hsm/embedded-key.ts'
import { openPkcs11Key } from './hsm/pkcs11-key.ts'
import { createThrowawaySigners } from './hsm/throwaway-key.ts'
import { takeTokenKey } from './hsm/token-made-key.ts'
import type { ServiceKeyFiles } from './key-files.ts'
import { readSecret, writeSecret } from './private-files.ts'
import { loadAuthorityProfiles } from './shipped-tables.ts'

/** Where the first authority of a service is kept; its root's key is there only where it was made there. */
export const authorityFiles = {
  root: 'ca/root.pem',
  rootKey: 'ca/root.key.pem',
  issuing: 'ca/issuing.pem',
  issuingKey: 'ca/issuing.key.pem',
} as const

/** An issuing authority that was made elsewhere, below a root whose key stays there. */
export interface OutsideAuthority {
  /** DER, issuing certificate first, root last. */
  readonly chain: readonly Uint8Array[]
  /** PKCS#8 PEM, opened; undefined for a key in the PKCS#11 token that the configuration names. */
  readonly key: string | undefined
}

/** Makes root and issuing authority, their keys encrypted; the issuing one's where the configuration says. */
export async function createAuthorityFiles(
  directory: string,
  keys: ServiceKeyFiles,
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
  const chain = [issuing, root].map(({ certificate }) => new Uint8Array(certificate.rawData))
  writeChain(directory, chain)
  keys.write(authorityFiles.rootKey, await exportPkcs8(rootKeys.privateKey))
  if (issuingKeys.privateKey !== undefined)
    keys.write(authorityFiles.issuingKey, await exportPkcs8(issuingKeys.privateKey))
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

/**
 * Sees that an authority from elsewhere can be this service's: its path holds, and the key at hand is its own.
 *
 * @throws what {@link verifyIssuingChain} throws; CeremonyError `ceremony-differs`, `ceremony-key`; Pkcs11Error
 */
export async function verifyOutsideAuthority(
  { chain, key }: OutsideAuthority,
  { trustDomain, keys }: Config,
): Promise<void> {
  const { spki } = verifyIssuingChain(chain, { trustDomain, now: Date.now() })
  const found = key === undefined ? await readTokenKey(keys.issuing) : publicHalfOf(key)
  if (Buffer.compare(found, spki) !== 0)
    throw new CeremonyError('ceremony-differs', { expected: 'the key of the issuing certificate' })
}

function publicHalfOf(key: string): Uint8Array {
  try {
    return createEmbeddedSigner(key).publicKey
  } catch (cause) {
    throw new CeremonyError('ceremony-key', { expected: 'a private key on P-256 or P-384', cause })
  }
}

/** Of a key that is there: one that is made now has no certificate. */
async function readTokenKey(uri: string): Promise<Uint8Array> {
  const key = await openPkcs11Key(uri)
  try {
    return importJwk(key.jwk).export({ format: 'der', type: 'spki' })
  } finally {
    await key.close()
  }
}

/** Writes an authority that {@link verifyOutsideAuthority} has seen. */
export function writeOutsideAuthority(
  directory: string,
  keys: ServiceKeyFiles,
  { chain, key }: OutsideAuthority,
): void {
  writeChain(directory, chain)
  if (key !== undefined) keys.write(authorityFiles.issuingKey, key)
}

/** The root stands for itself; whatever is between lies with the issuing certificate. */
function writeChain(directory: string, chain: readonly Uint8Array[]): void {
  const pem = (blocks: readonly Uint8Array[]): string =>
    blocks.map(block => encodePem('CERTIFICATE', block)).join('')
  writeSecret(directory, authorityFiles.root, pem(chain.slice(-1)))
  writeSecret(directory, authorityFiles.issuing, pem(chain.slice(0, -1)))
}

/**
 * Issuing certificate, those above it and root, DER, after a look at whether they and the issuing key belong together.
 *
 * @param keys undefined where the issuing key is in a PKCS#11 token
 * @throws ConfigError `config-malformed`, `config-missing`, `config-exposed`; KeyPassphraseError
 */
export function loadAuthorityChain(
  directory: string,
  keys: ServiceKeyFiles | undefined,
): Uint8Array[] {
  const { root: rootFile, issuing: issuingFile, issuingKey } = authorityFiles
  const chain = [
    ...loadCertificates(directory, issuingFile),
    ...loadCertificates(directory, rootFile),
  ]
  const [issuing, ...above] = chain
  above.reduce((child, authority) => {
    if (!child.verify(authority.publicKey)) throw malformed(issuingFile, 'signed by the root')
    return authority
  }, issuing as X509Certificate)
  if (keys !== undefined && issuing?.checkPrivateKey(loadKey(keys, issuingKey)) !== true)
    throw malformed(issuingKey, 'the key of the issuing certificate')
  return chain.map(({ raw }) => raw)
}

function loadCertificates(directory: string, name: string): X509Certificate[] {
  const blocks = decodePemBundle(readSecret(directory, name).toString('latin1'), ['CERTIFICATE'])
  if (blocks.length === 0) throw malformed(name, 'a certificate')
  try {
    return blocks.map(block => new X509Certificate(block))
  } catch {
    throw malformed(name, 'a certificate')
  }
}

function loadKey(keys: ServiceKeyFiles, name: string): ReturnType<typeof createPrivateKey> {
  const pem = keys.read(name)
  try {
    return createPrivateKey(pem)
  } catch {
    throw malformed(name, 'a private key')
  }
}

function malformed(name: string, expected: string): ConfigError {
  return new ConfigError('config-malformed', { expected, found: name })
}
