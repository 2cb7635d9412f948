import { randomBytes } from 'node:crypto'
import { requestCertificate } from '../../../swtpm/emulated/answer.ts'
import { encodeBase64url } from '../../core/bytes/base64url.ts'
import type { AttackCase } from './attack-case.ts'
import { enroll, enrollAgent } from './flows.ts'
import {
  challengeAgent,
  challengeRenewal,
  createAgent,
  proveAgentKey,
  renewAgent,
} from './messages.ts'
import type { AttackWorld } from './world.ts'

const issued: AttackCase['twin'] = async world => await enrollAgent(world)

const renewed: AttackCase['twin'] = async world => {
  const agent = await enrollAgent(world)
  return await renewAgent(agent, agent.host.tpm)
}

const rekeyed: AttackCase['twin'] = async world => {
  const { host, agentId } = await enrollAgent(world)
  const challenge = await challengeAgent(host.client, agentId)
  return await proveAgentKey(host.client, host.tpm, challenge)
}

async function revokedHost(world: AttackWorld): ReturnType<typeof enrollAgent> {
  const enrolled = await enrollAgent(world)
  await enrolled.client.token()
  const path = `/v1/hosts/${enrolled.host.id}/revoke`
  await world.setup.operator.call('POST', path, { reason: 'attack kit: revoked host' })
  return enrolled
}

/** Agents: the certificate is for the certified key, on issue, renewal and rekey; and for nobody else. */
export const agentCases: readonly AttackCase[] = [
  {
    name: 'request for another key on issue',
    code: 'csr-key-differs',
    attack: async world =>
      await enrollAgent(world, tpm => ({ requestKey: tpm.createSubjectKey() })),
    twin: issued,
  },
  {
    name: 'request for another key on renewal',
    code: 'renewal-key-differs',
    attack: async world => {
      const agent = await enrollAgent(world)
      const { tpm } = agent.host
      return await renewAgent(agent, tpm, { subject: tpm.createSubjectKey() })
    },
    twin: renewed,
  },
  {
    name: 'renewal without a proof of the hardware',
    code: 'renewal-unproven',
    attack: async world => {
      const { client, agentId, key } = await enrollAgent(world)
      const csr = encodeBase64url(requestCertificate(key))
      return await client.call('POST', `/v1/agents/${agentId}/credentials`, { csr })
    },
    twin: renewed,
  },
  {
    name: 'renewal for a key that another TPM certified',
    code: 'certify-signature',
    attack: async world => {
      const agent = await enrollAgent(world)
      return await renewAgent(agent, world.createTpm())
    },
    twin: renewed,
  },
  {
    name: 'renewal with a proof of before',
    code: 'certify-binding',
    attack: async world => {
      const agent = await enrollAgent(world)
      const { nonce } = await challengeRenewal(agent)
      return await renewAgent(agent, agent.host.tpm, { nonce })
    },
    twin: renewed,
  },
  {
    name: 'renewal after a restart that nobody attested',
    code: 'attestation-outdated',
    attack: async world => {
      const agent = await enrollAgent(world)
      agent.host.tpm.reset()
      return await renewAgent(agent, agent.host.tpm)
    },
    twin: renewed,
  },
  {
    name: 'request for another key on rekey',
    code: 'csr-key-differs',
    attack: async world => {
      const { host, agentId } = await enrollAgent(world)
      const challenge = await challengeAgent(host.client, agentId)
      const requestKey = host.tpm.createSubjectKey()
      return await proveAgentKey(host.client, host.tpm, challenge, { requestKey })
    },
    twin: rekeyed,
  },
  {
    name: 'request signed by another key than it is for',
    code: 'csr-unsigned',
    attack: async world =>
      await enrollAgent(world, tpm => ({ requestSigner: tpm.createSubjectKey() })),
    twin: issued,
  },
  {
    name: 'certification of a key for another agent',
    code: 'certify-binding',
    attack: async world => {
      const host = await enroll(world)
      const [one, other] = [
        await createAgent(host.client, world.className),
        await createAgent(host.client, world.className),
      ]
      const forged = { ...one, nonce: other.nonce }
      return await proveAgentKey(host.client, host.tpm, forged)
    },
    twin: issued,
  },
  {
    name: 'certification with a nonce made up',
    code: 'certify-binding',
    attack: async world => await enrollAgent(world, () => ({ nonce: randomBytes(32) })),
    twin: issued,
  },
  {
    name: 'key certified by the TPM of another host',
    code: 'certify-signature',
    attack: async world => {
      const [host, other] = [await enroll(world), await enroll(world)]
      const challenge = await createAgent(host.client, world.className)
      return await proveAgentKey(host.client, other.tpm, challenge)
    },
    twin: issued,
  },
  {
    name: 'agent proven by another host than its own',
    code: 'agent-not-here',
    attack: async world => {
      const [host, other] = [await enroll(world), await enroll(world)]
      const challenge = await createAgent(host.client, world.className)
      return await proveAgentKey(other.client, other.tpm, challenge)
    },
    twin: issued,
  },
  {
    name: 'key of one agent given to another',
    code: 'key-in-use',
    attack: async world => {
      const { host, key: subject } = await enrollAgent(world)
      const challenge = await createAgent(host.client, world.className)
      return await proveAgentKey(host.client, host.tpm, challenge, { subject })
    },
    twin: issued,
  },
  {
    name: 'token for an agent of a revoked host',
    code: 'host-revoked',
    attack: async world => await (await revokedHost(world)).client.token(),
    twin: async world => await (await enrollAgent(world)).client.token(),
  },
  {
    name: 'new enrolment of a revoked TPM',
    code: 'host-revoked',
    attack: async world => {
      const { host } = await revokedHost(world)
      return await enroll(world, { tpm: host.tpm })
    },
    twin: async world => await enroll(world, { tpm: (await enroll(world)).tpm }),
  },
]
