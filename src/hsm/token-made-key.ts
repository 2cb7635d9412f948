import { loadPinOf } from './pkcs11-key.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import { Pkcs11PublicKey } from './pkcs11-public-key.ts'
import { Pkcs11Token } from './pkcs11-token.ts'
import { parsePkcs11Uri } from './pkcs11-uri.ts'

const use = { deadlineMs: 30_000, sessions: 1 } as const

/**
 * The public key of what a `pkcs11:` URI names in its token; a key on P-256 is made there where there is none. One that
 * is there must have been born in the token, like one that is made.
 *
 * @returns DER SubjectPublicKeyInfo
 * @throws Pkcs11Error `pkcs11-…`
 */
export async function takeTokenKey(uri: string): Promise<Uint8Array> {
  const parsed = parsePkcs11Uri(uri)
  const token = Pkcs11Token.enter(parsed, { ...use, pin: await loadPinOf(parsed, undefined) })
  try {
    const opened = await token.open(parsed).catch(async (error: unknown) => {
      if (!(error instanceof Pkcs11Error) || error.code !== 'pkcs11-key-absent') throw error
      await token.create(parsed, 'P-256')
      return await token.open(parsed)
    })
    return Pkcs11PublicKey.ofPoint(opened).spki
  } finally {
    await token.leave()
  }
}
