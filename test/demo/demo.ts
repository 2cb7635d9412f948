import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Home } from '../../src/attester/home.ts'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { openTpmKey } from '../../src/attester/tpm-key.ts'
import { assay, serve, type Place } from './assay.ts'
import { refusalOf } from './attacks.ts'
import { callApi } from './call.ts'
import { claimsOf } from './claims.ts'
import { grantJustInTime, writeDetailTypes } from './grants.ts'
import { admitInspectedToken } from './hsm.ts'
import { startProtectedApi, type ProtectedApi } from './protected-api.ts'
import { DemoFailure, Stage } from './stage.ts'
import { connectOperator, createWorld, type World } from './world.ts'
import { className, type Enrolled, type Fetched } from './enrolled.ts'
import { attack } from './attack-chapter.ts'

/** The whole story; throws where anything came out otherwise than it must. */
async function tell(stage: Stage, world: World): Promise<void> {
  const fingerprint = await startTheService(stage, world)
  await admitTheManufacturer(stage, world)
  const hostId = await enrolTheHost(stage, world, fingerprint)
  const operator = await connectOperator(world.operator)
  world.undo(async () => await operator.close())
  const api = await startProtectedApi(operator)
  world.undo(async () => await api.stop())
  const agents = await createTheAgents(stage, world, api)
  await enrolTheHsmHost(stage, world, fingerprint, api)
  const enrolled = { operator, fingerprint, hostId, agents, api }
  const fetched = await useAToken(stage, world, enrolled)
  await delegate(stage, world, enrolled)
  await grantJustInTime(stage, world, { agent: agents[0] ?? '', fingerprint })
  await attack(stage, world, enrolled, fetched)
  await revokeTheHost(stage, world, enrolled)
  await verifyTheLog(stage, world)
}

async function startTheService(stage: Stage, world: World): Promise<string> {
  stage.chapter('A service on an empty database')
  const options = ['--issuer', world.issuer, '--listen', world.address, '--allow-emulated']
  const issuingKey = world.tokens.authority('issuing')
  const made = await assay(stage, world.operator, ['init', ...options, '--issuing-key', issuingKey])
  stage.done('the key of its certificate authority was made in an HSM (SoftHSM) and stays there')
  await admitInspectedToken(world.operator['ASSAY_DATA'] ?? '', world.tokens.host)
  stage.say('config.yaml: inspection.pkcs11 names a token that the service looks into by itself')
  const fingerprint = String(made['fingerprint'])
  stage.done('it has a certificate authority and one operator, known by a key')
  stage.say(`fingerprint of its root: ${fingerprint}`)
  const client = ServiceClient.create({ issuer: world.issuer, trust: { fingerprint } })
  world.undo(async () => await client.close())
  const running = await serve(stage, world.operator, async () => {
    const answer = (await client.request('GET', '/readyz')) as { status: string }
    return answer.status === 'ready'
  })
  world.undo(async () => await running.stop())
  stage.done(`it answers at ${world.issuer}`)
  return fingerprint
}

async function admitTheManufacturer(stage: Stage, world: World): Promise<void> {
  stage.chapter('A manufacturer of TPMs is trusted')
  stage.say(
    'Two software TPMs were made, with endorsement certificates of a throwaway manufacturer.',
  )
  const labels = ['--name', 'throwaway', '--vendor', 'id:00001014', '--assurance', 'emulated']
  await assay(stage, world.operator, ['anchor', 'add', world.rootFile, ...labels])
  stage.done('its root is a trust anchor, at assurance “emulated”')
}

async function enrolTheHost(stage: Stage, world: World, fingerprint: string): Promise<string> {
  stage.chapter('A host proves what it is')
  const words = ['host', 'enroll', world.issuer, '--fingerprint', fingerprint, '--name', 'web-1']
  const enrolled = await assay(stage, world.host, words)
  const host = enrolled['host'] as { id: string; spiffeId: string } | undefined
  const id = String(host?.id ?? enrolled['id'])
  const shown = (await assay(stage, world.operator, ['host', 'show', id])) as HostShown
  const { checks, status } = shown.attestationResult
  stage.require(
    checks.every(check => check.outcome === 'pass'),
    'every check of the verdict passed',
  )
  stage.done(`${checks.length} checks passed, the verdict is “${status}”`)
  stage.say(`it is ${shown.spiffeId} from now on`)
  return id
}

interface HostShown extends Record<string, unknown> {
  readonly spiffeId: string
  readonly attestationResult: {
    readonly status: string
    readonly checks: readonly { readonly outcome: string }[]
  }
}

async function createTheAgents(stage: Stage, world: World, api: ProtectedApi): Promise<string[]> {
  stage.chapter('Two agents, each with a key of its own in the TPM')
  const form = ['--audience', api.url, '--scope', 'orders:read', '--host', '*']
  const details = ['--details', await writeDetailTypes(world)]
  await assay(stage, world.operator, ['class', 'register', className, ...form, ...details])
  const agents: string[] = []
  for (const number of ['first', 'second']) {
    const made = await assay(stage, world.host, ['agent', 'create', '--class', className])
    const agent = (made['agent'] ?? made) as { id: string; spiffeId: string }
    agents.push(agent.id)
    stage.done(`the ${number} is ${agent.spiffeId}`)
  }
  return agents
}

/** A machine without TPM: the service opens its own session on the token and looks at the key itself. */
async function enrolTheHsmHost(
  stage: Stage,
  world: World,
  fingerprint: string,
  api: ProtectedApi,
): Promise<void> {
  stage.chapter('A host with an HSM instead of a TPM')
  const { hsmHost, tokens } = world
  const words = ['host', 'enroll', world.issuer, '--fingerprint', fingerprint, '--name', 'hsm-1']
  const where = ['--pkcs11', tokens.hostKey('host'), '--create-key', '--evidence', 'inspected']
  const enrolled = await assay(stage, hsmHost, [...words, ...where])
  const { assurance } = enrolled['attestationResult'] as { readonly assurance: string }
  stage.done(
    `its key is not extractable and was made there: “${assurance}”, since SoftHSM is software`,
  )
  const make = ['agent', 'create', '--class', className]
  const made = await assay(stage, hsmHost, make)
  const { id } = (made['agent'] ?? made) as { readonly id: string }
  const { token, proof } = await fetchToken(stage, hsmHost, id, api)
  const answer = await callApi(api, token, proof)
  stage.require(answer.status === 200, `the API answers ${answer.status} ${answer.code}`)
  stage.done('an agent with its key in the HSM calls the same API')
}

async function fetchToken(
  stage: Stage,
  place: Place,
  agent: string,
  api: ProtectedApi,
): Promise<Fetched> {
  return await readFetched(stage, place, ['agent', 'token', agent], api)
}

async function readFetched(
  stage: Stage,
  place: Place,
  words: readonly string[],
  api: ProtectedApi,
): Promise<Fetched> {
  const answer = await assay(stage, place, [...words, '--proof', 'GET', `${api.url}/orders`])
  return { token: String(answer['access_token']), proof: String(answer['proof']) }
}

async function useAToken(stage: Stage, world: World, enrolled: Enrolled): Promise<Fetched> {
  stage.chapter('A token of five minutes, and a call with it')
  const { agents, api } = enrolled
  const fetched = await fetchToken(stage, world.host, agents[0] ?? '', api)
  const answer = await callApi(api, fetched.token, fetched.proof)
  stage.require(answer.status === 200, `the API answers ${answer.status} ${answer.code}`)
  stage.done('a protected API takes it, with a proof by the key that it names')
  stage.answer(answer.body)
  return fetched
}

/** The first agent lets the second act for it, and nobody else. */
async function delegate(stage: Stage, world: World, { agents, api }: Enrolled): Promise<void> {
  stage.chapter('One agent acts for another')
  const [first = '', second = ''] = agents
  const left = ['agent', 'token', first, '--may-act', agentName(second)]
  const subject = await assay(stage, world.host, left)
  const file = join(world.host['ASSAY_HOME'] ?? '', 'subject-token')
  await writeFile(file, String(subject['access_token']), { mode: 0o600 })
  const words = ['agent', 'token', second, '--subject-token', file]
  const { token, proof } = await readFetched(stage, world.host, words, api)
  const answer = await callApi(api, token, proof)
  stage.require(answer.status === 200, `the API answers ${answer.status} ${answer.code}`)
  const claims = claimsOf(token)
  stage.require(claims.sub === agentName(first), 'the token is for the first agent')
  stage.require(claims.act?.sub === agentName(second), 'and says that the second acts')
  stage.done(`the second agent acts for the first, by its own key: act is ${agentName(second)}`)
  const traced = await assay(stage, world.operator, ['audit', 'trace', claims.txn])
  const acts = traced['acts'] as readonly unknown[]
  stage.require(acts.length >= 2, 'the log shows both hops')
  stage.done('one question shows who asked for what through whom')
}

function agentName(id: string): string {
  return `spiffe://localhost/agent/${className}/${id}`
}

async function revokeTheHost(stage: Stage, world: World, enrolled: Enrolled): Promise<void> {
  stage.chapter('The host is revoked, and everything on it')
  const { api, agents, hostId } = enrolled
  const fetched = await fetchToken(stage, world.host, agents[1] ?? '', api)
  const revoke = ['host', 'revoke', hostId, '--reason', 'stolen']
  await assay(stage, world.operator, revoke)
  const { status, code, title } = await callApi(api, fetched.token, fetched.proof)
  await stage.refused(
    'the second agent’s next call, with a token that has minutes left',
    'token-inactive',
    async () => await Promise.resolve(status === 200 ? undefined : { code, line: title }),
  )
  await stage.refused(
    'the first agent’s next token',
    'host-revoked',
    async () => await refusalOf(async () => await tokenOf(world, agents[0] ?? '')),
  )
}

async function tokenOf(world: World, agent: string): Promise<unknown> {
  const home = await Home.open(world.host['ASSAY_HOME'] ?? '')
  const { issuer, root } = await home.loadService()
  const identity = await home.findAgent(agent)
  if (identity === undefined) throw new DemoFailure('the agent is not there')
  const key = await openTpmKey(
    world.hostTpm.tcti,
    await readFile(home.path(identity.keyFile), 'utf8'),
  )
  const client = ServiceClient.create({ issuer, trust: { root }, key })
  try {
    return await client.token()
  } finally {
    await client.close()
    await key.close()
  }
}

async function verifyTheLog(stage: Stage, world: World): Promise<void> {
  stage.chapter('Every step is in the log')
  const verified = await assay(stage, world.operator, ['audit', 'verify'])
  stage.done(`the tree of ${String(verified['size'])} entries is what the checkpoint signs`)
}

const stage = new Stage(() => performance.now())
const world = await createWorld()
try {
  await tell(stage, world)
  stage.close()
} catch (error) {
  if (!(error instanceof DemoFailure)) throw error
  process.stderr.write(`\nThe demo failed: ${error.message}\n`)
  process.exitCode = 1
} finally {
  await world.close()
}
