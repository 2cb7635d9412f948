import type { ClientKey } from '../attester/client-key.ts'
import type { ActivationClaims } from '../core/appraisal/policy-activation.ts'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import { encodeHeader, encodeSigningInput } from '../core/jose/jws.ts'

/** The JWS by which an operator puts a policy into force, by the key wherever it lives (RFC 7515 §5.1). */
export async function signActivation(
  { service, key }: { readonly service: { readonly issuer: string }; readonly key: ClientKey },
  claims: Omit<ActivationClaims, 'aud' | 'iat'>,
  type: string,
): Promise<string> {
  const header = encodeHeader({ alg: key.algorithm, typ: type, kid: key.jkt })
  const iat = Math.floor(Date.now() / 1000)
  const input = encodeSigningInput(header, { aud: service.issuer, iat, ...claims })
  const signature = await key.sign(Buffer.from(input, 'latin1'))
  return `${input}.${encodeBase64url(signature)}`
}
