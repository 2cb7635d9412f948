import { encodeBase64url } from '../core/bytes/base64url.ts'
import { encodeHeader, encodeSigningInput } from '../core/jose/jws.ts'
import type { TokenKeys } from './token-keys.ts'

const headers = new Map<string, string>()
/** A few types under a few keys; keys come and go with years. */
const rememberedHeaders = 64

/**
 * Claims as a compact JWS under the key that signs at this moment. At once where that key is embedded.
 *
 * @param typ of the header: `at+jwt`, `eat+jwt`
 * @throws whatever the signer throws: of a key in hardware `signer-down`
 * @see RFC 7515 §7.1, RFC 8725 §3.11
 */
export function signToken(
  service: { readonly tokenKeys: Pick<TokenKeys, 'current'> },
  typ: string,
  claims: object,
): string | Promise<string> {
  const signer = service.tokenKeys.current
  const input = encodeSigningInput(headerOf(signer.kid, signer.algorithm.name, typ), claims)
  const signature = signer.sign(Buffer.from(input, 'latin1'))
  return signature instanceof Uint8Array
    ? `${input}.${encodeBase64url(signature)}`
    : signature.then(bytes => `${input}.${encodeBase64url(bytes)}`)
}

/** A header is the same each time, so it is encoded once. */
function headerOf(kid: string, alg: string, typ: string): string {
  const name = `${kid} ${typ}`
  let header = headers.get(name)
  if (header === undefined) {
    header = encodeHeader({ alg, typ, kid })
    if (headers.size >= rememberedHeaders) headers.clear()
    headers.set(name, header)
  }
  return header
}
