import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'
import { algorithmOfCurve, type JwsAlgorithm } from '../core/jose/algorithm.ts'
import { JoseError } from '../core/jose/error.ts'
import { exportJwk, thumbprint, type PublicJwk } from '../core/jose/jwk.ts'
import type { ClientKey } from './client-key.ts'
import { createPrivateFile, readPrivateFile } from './private-file.ts'

const rows = {
  'key-file-malformed': {
    summary: 'The file does not hold a private key that can sign here.',
    hint: 'Give a private key on P-256 or P-384, PKCS#8 in PEM, without a passphrase.',
    source: 'RFC 5958 §2; RFC 7518 §3.4',
  },
} as const satisfies Record<string, ErrorRow>

/** A key file that holds no usable key; `found` has its path, never its content. */
export class KeyFileError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}

/**
 * Makes a P-256 key in a new file of mode 0600: the lowest level, for who has neither TPM nor token.
 *
 * @throws PrivateFileError `private-file-exists`, `private-file-missing`
 */
export async function createFileKey(path: string): Promise<ClientKey> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await createPrivateFile(path, privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)
  return fileKeyOf(privateKey, path)
}

/**
 * Opens a key file: PKCS#8, PEM, with rights for its owner alone.
 *
 * @throws PrivateFileError `private-file-missing`, `private-file-exposed`; KeyFileError `key-file-malformed`
 */
export async function openFileKey(path: string): Promise<ClientKey> {
  return fileKeyOf(parsePrivateKey(await readPrivateFile(path), path), path)
}

function parsePrivateKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw new KeyFileError('key-file-malformed', { found: path, cause })
  }
}

function fileKeyOf(privateKey: KeyObject, path: string): ClientKey {
  const jwk = publicJwkOf(privateKey, path)
  const algorithm = algorithmOfCurve(jwk.crv)
  if (algorithm === undefined) throw new TypeError('a JWK has a curve of the table')
  return new FileKey(privateKey, jwk, algorithm)
}

function publicJwkOf(privateKey: KeyObject, path: string): PublicJwk {
  try {
    return exportJwk(createPublicKey(privateKey))
  } catch (cause) {
    if (!(cause instanceof JoseError)) throw cause
    throw new KeyFileError('key-file-malformed', { found: path, cause })
  }
}

class FileKey implements ClientKey {
  readonly protection = 'file'
  readonly jwk: PublicJwk
  readonly jkt: string
  readonly algorithm: 'ES256' | 'ES384'
  readonly #key: KeyObject
  readonly #hash: string

  constructor(key: KeyObject, jwk: PublicJwk, algorithm: JwsAlgorithm) {
    this.jwk = jwk
    this.jkt = thumbprint(jwk)
    this.algorithm = algorithm.name
    this.#key = key
    this.#hash = algorithm.hash
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    return sign(this.#hash, message, { key: this.#key, dsaEncoding: 'ieee-p1363' })
  }

  async close(): Promise<void> {}
}
