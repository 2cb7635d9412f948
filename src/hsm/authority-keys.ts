import { createPrivateKey, createPublicKey, randomBytes, X509Certificate } from 'node:crypto'
import {
  createIssuing,
  createRoot,
  issuingAlgorithm,
  parseAuthorityCertificate,
  rootAlgorithm,
  type AuthorityIssuance,
  type CeremonyInput,
  type CeremonyKey,
} from '../core/issuance/ceremony.ts'
import type { CertificateSigner } from '../core/issuance/credential.ts'
import type { AuthorityKeys, AuthorityPlace } from '../ports/authority.ts'
import { AuthorityKeyError } from '../ports/authority-error.ts'
import { createEmbeddedSigner, embeddedCrypto, exportPkcs8 } from './embedded-key.ts'
import type { IssuingKeyPlace } from './issuing-key-place.ts'

/** Private files by name; what is written is durable when the call returns, and a name is written once. */
export interface KeyFiles {
  list(): readonly string[]
  /** PKCS#8 PEM. */
  read(name: string): string
  write(name: string, pkcs8: string): void
  /** Puts it where nothing is read from, under its own name. */
  setAside(name: string): void
  /** Takes it away; one that is not there is no error. */
  destroy(name: string): void
}

/** What new authorities are made with. */
export interface AuthorityKeyOptions {
  readonly files: KeyFiles
  readonly issuance: AuthorityIssuance
  readonly trustDomain: string
  readonly rootLifetimeSeconds: number
  readonly issuingLifetimeSeconds: number
  /** Where issuing keys are made: the first on the disk where no token is named, a second one nowhere then. */
  readonly places?: Readonly<Partial<Record<AuthorityPlace, IssuingKeyPlace>>>
}

const issuingSuffix = '.key.pem'
const rootSuffix = '.root.key.pem'
/** Names of the keys that are made here; what is named otherwise is never moved. */
const made = /^authority-[0-9a-f]{32}(\.root)?\.key\.pem$/

/** Authorities on keys of this machine's disk or of tokens. The key of a root lies on the disk in either case. */
export function createFileAuthorityKeys(options: AuthorityKeyOptions): AuthorityKeys {
  const { files } = options
  return {
    create: async request => {
      const name = `authority-${randomBytes(16).toString('hex')}`
      const under = request.root === undefined ? undefined : await openRoot(files, request.root)
      const key = await placeOf(options, request.place).make(name)
      try {
        const spki = await embeddedCrypto.subtle.exportKey('spki', key.publicKey)
        await request.record({ keyReference: key.reference, publicKey: new Uint8Array(spki) })
        const root = under ?? (await createNextRoot(options, request))
        const issuing = await issueUnder(options, root, key.publicKey, request)
        if (under === undefined)
          files.write(`${name}${rootSuffix}`, await exportPkcs8(root.keys.privateKey))
        key.keep()
        const chain = [issuing, root].map(({ certificate }) => new Uint8Array(certificate.rawData))
        return { chain, keyReference: key.reference }
      } catch (cause) {
        await key.discard()
        throw cause
      }
    },
    open: ({ chain, keyReference }) => createFileSigner(files, chain, keyReference),
    listOrphans: references => {
      const kept = new Set(references.flatMap(name => [name, ...rootFilesOf(name)]))
      return files.list().filter(name => made.test(name) && !kept.has(name))
    },
    setAside: names => {
      for (const name of names) files.setAside(name)
    },
    destroy: async ({ keyReference }) => await Promise.resolve(files.destroy(keyReference)),
  }
}

type AuthorityRequest = Parameters<AuthorityKeys['create']>[0]

async function issueUnder(
  options: AuthorityKeyOptions,
  root: CeremonyKey,
  publicKey: CryptoKey,
  { now, serials }: Pick<AuthorityRequest, 'now' | 'serials'>,
): ReturnType<typeof createIssuing> {
  const ceremony = {
    ...ceremonyOf(options, now),
    serial: serials[1],
    keys: { publicKey },
    lifetimeSeconds: options.issuingLifetimeSeconds,
  }
  return await createIssuing(ceremony, root)
}

/** The root's key has the name of the issuing key that was made with it, in a file or in a token. */
function rootFilesOf(keyReference: string): string[] {
  const [name] = /authority-[0-9a-f]{32}/.exec(keyReference) ?? []
  return name === undefined ? [] : [`${name}${rootSuffix}`]
}

function placeOf(
  { files, places = {} }: AuthorityKeyOptions,
  wanted: AuthorityPlace,
): IssuingKeyPlace {
  const place = places[wanted]
  if (place !== undefined) return place
  if (wanted === 'standby') throw new AuthorityKeyError('authority-standby-absent')
  return { make: async name => await makeOnDisk(files, `${name}${issuingSuffix}`) }
}

async function makeOnDisk(files: KeyFiles, reference: string): ReturnType<IssuingKeyPlace['make']> {
  const { subtle } = embeddedCrypto
  const { publicKey, privateKey } = await subtle.generateKey(issuingAlgorithm, true, [
    'sign',
    'verify',
  ])
  const pkcs8 = await exportPkcs8(privateKey)
  const keep = (): void => files.write(reference, pkcs8)
  return { reference, publicKey, keep, discard: async () => await Promise.resolve() }
}

function ceremonyOf(
  { trustDomain, issuance }: AuthorityKeyOptions,
  now: number,
): Pick<CeremonyInput, 'crypto' | 'issuance' | 'trustDomain' | 'now'> {
  return { crypto: embeddedCrypto, issuance, trustDomain, now: new Date(now) }
}

async function createNextRoot(
  options: AuthorityKeyOptions,
  { now, serials }: { readonly now: number; readonly serials: readonly [Uint8Array, Uint8Array] },
): Promise<CeremonyKey> {
  const keys = await embeddedCrypto.subtle.generateKey(rootAlgorithm, true, ['sign', 'verify'])
  return await createRoot({
    ...ceremonyOf(options, now),
    serial: serials[0],
    keys,
    lifetimeSeconds: options.rootLifetimeSeconds,
  })
}

/** The root's key, found by its public half among what is kept here. */
async function openRoot(files: KeyFiles, root: Uint8Array): Promise<CeremonyKey> {
  const { publicKey } = new X509Certificate(root)
  for (const name of files.list().filter(file => file.endsWith('root.key.pem'))) {
    const key = createPrivateKey(files.read(name))
    if (!createPublicKey(key).equals(publicKey)) continue
    const { subtle } = embeddedCrypto
    const pkcs8 = key.export({ format: 'der', type: 'pkcs8' })
    const spki = publicKey.export({ format: 'der', type: 'spki' })
    return {
      certificate: parseAuthorityCertificate(root),
      keys: {
        privateKey: await subtle.importKey('pkcs8', pkcs8, rootAlgorithm, true, ['sign']),
        publicKey: await subtle.importKey('spki', spki, rootAlgorithm, true, ['verify']),
      },
    }
  }
  throw new AuthorityKeyError('authority-root-absent')
}

const algorithms: Readonly<Record<string, CertificateSigner['algorithm']>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
}

/** Reads the key with the first signature, so that an authority that only verifies needs none. */
function createFileSigner(
  files: KeyFiles,
  [certificate]: readonly Uint8Array[],
  keyReference: string,
): CertificateSigner {
  const { publicKey } = new X509Certificate(certificate ?? new Uint8Array())
  const algorithm = algorithms[publicKey.asymmetricKeyDetails?.namedCurve ?? '']
  if (algorithm === undefined) throw new AuthorityKeyError('authority-key-unusable')
  let signer: ReturnType<typeof createEmbeddedSigner> | undefined
  const open = (): ReturnType<typeof createEmbeddedSigner> => {
    const opened = createEmbeddedSigner(files.read(keyReference))
    const own = publicKey.export({ format: 'der', type: 'spki' })
    if (!own.equals(opened.publicKey)) throw new AuthorityKeyError('authority-key-unusable')
    return opened
  }
  return {
    algorithm,
    sign: message => {
      signer ??= open()
      return signer.sign(message)
    },
  }
}
