import * as oauth from 'oauth4webapi'
import { expect, type Step } from './step.ts'
import { resource, type ClientsWorld, type PlayedClient } from './world.ts'

const name = 'oauth4webapi'

async function discover(world: ClientsWorld): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(world.issuer)
  const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' })
  return await oauth.processDiscoveryResponse(issuer, answer)
}

async function keyPair({ privateKey, publicKey }: PlayedClient): Promise<CryptoKeyPair> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const [secret, known] = [
    privateKey.export({ format: 'der', type: 'pkcs8' }),
    publicKey.export({ format: 'der', type: 'spki' }),
  ]
  return {
    privateKey: await crypto.subtle.importKey('pkcs8', secret, algorithm, false, ['sign']),
    publicKey: await crypto.subtle.importKey('spki', known, algorithm, true, ['verify']),
  }
}

interface Session {
  readonly as: oauth.AuthorizationServer
  readonly client: oauth.Client
  readonly authentication: oauth.ClientAuth
  readonly DPoP: oauth.DPoPHandle
}

async function open(world: ClientsWorld, played: PlayedClient): Promise<Session> {
  const as = await discover(world)
  const client: oauth.Client = { client_id: played.id }
  const keys = await keyPair(played)
  return {
    as,
    client,
    authentication: oauth.PrivateKeyJwt(keys.privateKey),
    DPoP: oauth.DPoP(client, keys),
  }
}

/** As the library wants it: the first answer asks for a nonce, the second attempt has it. */
async function withNonce<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt()
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    return await attempt()
  }
}

async function fetchToken(
  session: Session,
  parameters: Record<string, string>,
): Promise<oauth.TokenEndpointResponse> {
  const { as, client, authentication, DPoP } = session
  return await withNonce(async () => {
    const answer = await oauth.clientCredentialsGrantRequest(
      as,
      client,
      authentication,
      parameters,
      { DPoP },
    )
    return await oauth.processClientCredentialsResponse(as, client, answer)
  })
}

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/** The second agent acts for the first one: its own key, the other's token as the subject. */
async function exchange(world: ClientsWorld): Promise<{
  session: Session
  token: oauth.TokenEndpointResponse
}> {
  const [first, second] = world.agents
  expect(first !== undefined && second !== undefined, 'two agents')
  const left = { resource, scope: 'orders:read', may_act: second.id }
  const subject = await fetchToken(await open(world, first), left)
  const session = await open(world, second)
  const actor = await fetchToken(session, { resource, scope: 'orders:read' })
  const { as, client, authentication, DPoP } = session
  const token = await withNonce(async () => {
    const answer = await oauth.genericTokenEndpointRequest(
      as,
      client,
      authentication,
      tokenExchange,
      {
        subject_token: subject.access_token,
        subject_token_type: accessTokenType,
        actor_token: actor.access_token,
        actor_token_type: accessTokenType,
        resource,
        scope: 'orders:read',
      },
      { DPoP },
    )
    return await oauth.processGenericTokenEndpointResponse(as, client, answer)
  })
  return { session, token }
}

export const oauth4webapiSteps: readonly Step[] = [
  {
    client: name,
    does: 'gets a token with a DPoP nonce, introspects and revokes it',
    run: async world => {
      const [agent] = world.agents
      expect(agent !== undefined, 'an agent')
      const session = await open(world, agent)
      const { access_token: token } = await fetchToken(session, { resource, scope: 'orders:write' })
      const asker = await open(world, world.relyingParty)
      expect((await introspect(asker, token)).active, 'an active token')
      const { as, client, authentication } = session
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(as, client, authentication, token),
      )
      expect(!(await introspect(asker, token)).active, 'an inactive token')
    },
  },
  {
    client: name,
    does: 'exchanges a token: the second agent acts for the first, and the token says so',
    run: async world => {
      const { token } = await exchange(world)
      const asker = await open(world, world.relyingParty)
      const answer = await introspect(asker, token.access_token)
      const [first, second] = world.agents
      expect(answer.sub === first?.id, 'the first agent as subject')
      const { sub } = (answer['act'] ?? {}) as { readonly sub?: string }
      expect(sub === second?.id, 'the second agent as actor')
    },
  },
  {
    client: name,
    does: 'finds the service’s own API as a protected resource, and calls it with token and proof',
    run: async world => {
      const [agent] = world.agents
      expect(agent !== undefined, 'an agent')
      const session = await open(world, agent)
      const metadata = await oauth.resourceDiscoveryRequest(new URL(world.issuer))
      const found = await oauth.processResourceDiscoveryResponse(new URL(world.issuer), metadata)
      expect(found.authorization_servers?.[0] === world.issuer, 'the issuer itself')
      const { access_token: token } = await fetchToken(session, { resource: world.issuer })
      const url = new URL(`${world.issuer}/v1/svids/wit`)
      const { DPoP } = session
      const answer = await withNonce(
        async () =>
          await oauth.protectedResourceRequest(token, 'POST', url, undefined, undefined, { DPoP }),
      )
      expect(answer.status === 200, 'an answer of the API')
    },
  },
]

async function introspect(session: Session, token: string): Promise<oauth.IntrospectionResponse> {
  const { as, client, authentication } = session
  const answer = await oauth.introspectionRequest(as, client, authentication, token)
  return await oauth.processIntrospectionResponse(as, client, answer)
}
