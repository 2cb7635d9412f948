import { createHash, randomUUID } from 'node:crypto'
import { exportJWK, SignJWT } from 'jose'
import { createVerifier, type ResourceRequest } from '../../src/resource/verifier.ts'
import { assertionOf, fetchToken } from './jose.ts'
import { expect, refusal, type Step } from './step.ts'
import { resource, type ClientsWorld, type PlayedClient } from './world.ts'

const name = 'assay/verifier'

/** A request to the resource, with a proof that jose made. */
async function requestOf(agent: PlayedClient, token: string): Promise<ResourceRequest> {
  const claims = {
    jti: randomUUID(),
    htm: 'GET',
    htu: `${resource}/orders`,
    ath: createHash('sha256').update(token).digest('base64url'),
  }
  const dpop = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(agent.publicKey) })
    .setIssuedAt()
    .sign(agent.privateKey)
  return {
    method: 'GET',
    url: `${resource}/orders`,
    headers: { authorization: `DPoP ${token}`, dpop },
  }
}

async function revoke(world: ClientsWorld, agent: PlayedClient, token: string): Promise<void> {
  const answer = await fetch(`${world.issuer}/oauth/revoke`, {
    method: 'POST',
    body: new URLSearchParams({ ...(await assertionOf(world.issuer, agent)), token }),
  })
  expect(answer.status === 200, 'a revocation')
}

export const assayVerifierSteps: readonly Step[] = [
  {
    client: name,
    does: 'lets in a call with its proof, and refuses the token once the status list says revoked',
    run: async world => {
      const [agent] = world.agents
      expect(agent !== undefined, 'an agent')
      const options = { issuer: world.issuer, audience: resource, authority: world.root }
      const verifier = createVerifier({ ...options, statusMaxAgeSeconds: 0 })
      const token = await fetchToken(world)
      const claims = await verifier.verify(await requestOf(agent, token))
      expect(claims.sub === agent.id, 'the agent as subject')
      await revoke(world, agent, token)
      const refused = await refusal(verifier.verify(await requestOf(agent, token)))
      expect('code' in refused && refused.code === 'token-revoked', 'token-revoked')
    },
  },
]
