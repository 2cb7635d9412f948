import * as client from 'openid-client'
import { expect, refusal, type Step } from './step.ts'
import { resource, type ClientsWorld, type PlayedClient } from './world.ts'

const name = 'openid-client'

/** A client as the library knows it: found by discovery, authenticated by `private_key_jwt`. */
async function discover(
  { issuer }: ClientsWorld,
  { id, privateKey }: PlayedClient,
): Promise<client.Configuration> {
  const key = await importKey(privateKey, ['sign'])
  return await client.discovery(new URL(issuer), id, undefined, client.PrivateKeyJwt(key), {
    algorithm: 'oauth2',
  })
}

async function importKey(key: PlayedClient['privateKey'], usages: KeyUsage[]): Promise<CryptoKey> {
  const format = key.type === 'private' ? 'pkcs8' : 'spki'
  const bytes = key.export({ format: 'der', type: format as 'pkcs8' })
  return await crypto.subtle.importKey(
    format,
    bytes,
    { name: 'ECDSA', namedCurve: 'P-256' },
    true,
    usages,
  )
}

/** The agent's own key proves possession as well: there is no other in Assay. */
async function dpopOf(
  config: client.Configuration,
  { privateKey, publicKey }: PlayedClient,
): Promise<client.DPoPHandle> {
  return client.getDPoPHandle(config, {
    privateKey: await importKey(privateKey, ['sign']),
    publicKey: await importKey(publicKey, ['verify']),
  })
}

async function fetchToken(world: ClientsWorld): Promise<{
  config: client.Configuration
  DPoP: client.DPoPHandle
  token: client.TokenEndpointResponse
}> {
  const [agent] = world.agents
  expect(agent !== undefined, 'an agent')
  const config = await discover(world, agent)
  const DPoP = await dpopOf(config, agent)
  const parameters = { resource, scope: 'orders:read' }
  const token = await client.clientCredentialsGrant(config, parameters, { DPoP })
  return { config, DPoP, token }
}

export const openidClientSteps: readonly Step[] = [
  {
    client: name,
    does: 'finds the service by its OAuth metadata',
    run: async world => {
      const [agent] = world.agents
      expect(agent !== undefined, 'an agent')
      const metadata = (await discover(world, agent)).serverMetadata()
      expect(metadata.issuer === world.issuer, world.issuer)
      expect(!metadata.supportsPKCE(), 'no authorization endpoint')
    },
  },
  {
    client: name,
    does: 'finds it by OpenID Connect’s path as well',
    run: async world => {
      const [agent] = world.agents
      expect(agent !== undefined, 'an agent')
      const found = await client.discovery(new URL(world.issuer), agent.id)
      expect(found.serverMetadata().issuer === world.issuer, world.issuer)
    },
  },
  {
    client: name,
    does: 'authenticates by private_key_jwt, answers the DPoP nonce and gets a bound token',
    run: async world => {
      const { token } = await fetchToken(world)
      expect(token.token_type === 'dpop', 'token_type DPoP')
      expect(token.scope === 'orders:read', 'the scope that was asked for')
      expect((token.expires_in ?? 0) > 0 && (token.expires_in ?? 0) <= 120, 'minutes')
    },
  },
  {
    client: name,
    does: 'asks for another agent’s scope and is refused with invalid_scope',
    run: async world => {
      const [agent] = world.agents
      expect(agent !== undefined, 'an agent')
      const config = await discover(world, agent)
      const DPoP = await dpopOf(config, agent)
      const wanted = { resource, scope: 'payroll:write' }
      const refused = await refusal(client.clientCredentialsGrant(config, wanted, { DPoP }))
      expect(refused.error === 'invalid_scope', 'invalid_scope')
    },
  },
  {
    client: name,
    does: 'introspects a token as the relying party, then not after its holder revoked it',
    run: async world => {
      const { config, token } = await fetchToken(world)
      const asker = await discover(world, world.relyingParty)
      const before = await client.tokenIntrospection(asker, token.access_token)
      expect(before.active && before.aud === resource, 'an active token for the resource')
      await client.tokenRevocation(config, token.access_token)
      const after = await client.tokenIntrospection(asker, token.access_token)
      expect(!after.active, 'an inactive token')
    },
  },
]
