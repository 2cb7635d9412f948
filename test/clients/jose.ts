import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose'
import { randomUUID } from 'node:crypto'
import { expect, refusal, type Step } from './step.ts'
import { resource, type ClientsWorld, type PlayedClient } from './world.ts'

const name = 'jose'
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** `private_key_jwt` as form parameters (RFC 7523 §2.2). */
export async function assertionOf(
  issuer: string,
  { id, privateKey }: PlayedClient,
): Promise<Record<string, string>> {
  const assertion = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer(id)
    .setSubject(id)
    .setAudience(issuer)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(privateKey)
  return { client_assertion: assertion, client_assertion_type: assertionType }
}

/** A token with nothing but jose and fetch: the assertion is the client authentication, and its key binds the token. */
export async function fetchToken({ issuer, agents }: ClientsWorld): Promise<string> {
  const [agent] = agents
  expect(agent !== undefined, 'an agent')
  const grant = { grant_type: 'client_credentials', resource }
  const form = { ...grant, ...(await assertionOf(issuer, agent)) }
  const answer = await fetch(`${issuer}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  const { access_token: token } = (await answer.json()) as { access_token?: string }
  expect(token !== undefined, 'a token')
  return token
}

/** Of an error of the library. */
function codeOf(error: Error): unknown {
  return (error as { readonly code?: unknown }).code
}

export const joseSteps: readonly Step[] = [
  {
    client: name,
    does: 'verifies a token as a relying party, by the published keys',
    run: async world => {
      const keys = createRemoteJWKSet(new URL(`${world.issuer}/oauth/jwks`))
      const expected = { issuer: world.issuer, audience: resource, typ: 'at+jwt' }
      const { payload } = await jwtVerify(await fetchToken(world), keys, expected)
      expect(payload.sub === world.agents[0]?.id, 'the agent as subject')
      expect('jkt' in (payload['cnf'] as object), 'a token that is bound to its key')
    },
  },
  {
    client: name,
    does: 'refuses a token for somebody else, and one whose payload was changed',
    run: async world => {
      const keys = createRemoteJWKSet(new URL(`${world.issuer}/oauth/jwks`))
      const token = await fetchToken(world)
      const other = { issuer: world.issuer, audience: 'https://other.example' }
      const elsewhere = await refusal(jwtVerify(token, keys, other))
      expect(codeOf(elsewhere) === 'ERR_JWT_CLAIM_VALIDATION_FAILED', 'a refused audience')
      const [header, , signature] = token.split('.')
      const payload = Buffer.from(JSON.stringify({ sub: 'root' })).toString('base64url')
      const forged = await refusal(jwtVerify(`${header}.${payload}.${signature}`, keys))
      expect(codeOf(forged) === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED', 'a refused signature')
      expect(decodeProtectedHeader(token).alg === 'ES256', 'ES256')
    },
  },
]
