import { parsePublicKey } from '../core/x509/public-key.ts'
import { loadPinOf } from './pkcs11-key.ts'
import type { KeyKind } from './pkcs11-constants.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import { Pkcs11PublicKey } from './pkcs11-public-key.ts'
import { Pkcs11Token } from './pkcs11-token.ts'
import { parsePkcs11Uri, type Pkcs11Uri } from './pkcs11-uri.ts'

const use = { deadlineMs: 30_000, sessions: 1 } as const

/**
 * The public key of what a `pkcs11:` URI names in its token; a key is made there where there is none. One that is there
 * must have been born in the token, like one that is made, and sign as
 * the kind does: ECDSA or EdDSA.
 *
 * @returns DER SubjectPublicKeyInfo
 * @throws Pkcs11Error `pkcs11-…`
 */
export async function takeTokenKey(uri: string, kind: KeyKind = 'P-256'): Promise<Uint8Array> {
  return await inToken(uri, async (token, parsed) => {
    const opened = await token.open(parsed).catch(async (error: unknown) => {
      if (!(error instanceof Pkcs11Error) || error.code !== 'pkcs11-key-absent') throw error
      await token.create(parsed, kind)
      return await token.open(parsed)
    })
    if ((opened.kind === 'Ed25519') !== (kind === 'Ed25519'))
      throw new Pkcs11Error('pkcs11-key-unsuitable', { expected: kind, found: opened.kind })
    return Pkcs11PublicKey.ofPoint(opened).spki
  })
}

/**
 * Takes a key out of its token; one that is not there is no error.
 *
 * @param publicKey DER SubjectPublicKeyInfo: another key of that name stays
 * @throws Pkcs11Error `pkcs11-…`
 */
export async function destroyTokenKey(uri: string, publicKey: Uint8Array): Promise<void> {
  const { keyBits: point } = parsePublicKey(publicKey)
  await inToken(uri, async (token, parsed) => await token.destroy({ ...parsed, point }))
}

async function inToken<T>(
  uri: string,
  work: (token: Pkcs11Token, parsed: Pkcs11Uri) => Promise<T>,
): Promise<T> {
  const parsed = parsePkcs11Uri(uri)
  const token = Pkcs11Token.enter(parsed, { ...use, pin: await loadPinOf(parsed, undefined) })
  try {
    return await work(token, parsed)
  } finally {
    await token.leave()
  }
}
