import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { assay, refusedAssay, type Place } from './assay.ts'
import { claimsOf } from './claims.ts'
import type { Stage } from './stage.ts'
import type { World } from './world.ts'

/** What agents of the class need an operator’s approval for. */
const policy = `@id("no-refunds") @requestable("30")
@description("A refund is made when another operator than the owner has looked at it.")
forbid (principal is Agent, action == Action::"issueToken", resource)
when { context.details.actions.contains("refund") }
unless { context.approved };
`

/** Writes what agents of the class may ask for in detail (RFC 9396); gives the file. */
export async function writeDetailTypes(world: World): Promise<string> {
  return await write(world, 'detail-types.json', [{ type: 'order', ...refund, identifiers: ['3'] }])
}

const refund = { actions: ['refund'] }

async function write(world: World, name: string, value: unknown): Promise<string> {
  const file = join(dirname(world.rootFile), name)
  await writeFile(file, typeof value === 'string' ? value : JSON.stringify(value))
  return file
}

/** An agent is denied what policies let nobody have unasked; another operator approves it; it counts once. */
export async function grantJustInTime(
  stage: Stage,
  world: World,
  { agent, fingerprint }: { readonly agent: string; readonly fingerprint: string },
): Promise<void> {
  stage.chapter('What an agent may have only when somebody else agrees')
  await activatePolicy(stage, world)
  const second = await registerSecond(stage, world, fingerprint)
  const file = await write(world, 'refund.json', [{ type: 'order', ...refund, identifier: '3' }])
  const words = ['agent', 'token', agent, '--details', file]
  const denied = await refusedAssay(stage, world.host, words, {
    title: 'a token for a refund',
    code: 'authorization-requestable',
  })
  const [grant, decision] = [String(denied['grant']), String(denied['decision'])]
  const explained = await assay(stage, world.operator, ['policy', 'explain', decision])
  const requestable = explained['requestable'] as { readonly grantRequest: unknown } | null
  stage.require(requestable?.grantRequest === grant, 'the explanation names the request')
  stage.done('made again from the log: “no-refunds” forbids it, and an operator can lift that')
  const approve = ['grant', 'approve', grant, '--reason', 'order 3 arrived broken']
  await refusedAssay(stage, world.operator, approve, {
    title: 'an approval by the operator who answers for the agent',
    code: 'grant-own',
  })
  await assay(stage, second, approve)
  stage.done('the second operator approves exactly this, for one token')
  const token = await assay(stage, world.host, words)
  const { authorization_details: details } = claimsOf(String(token['access_token']))
  stage.require(details?.[0]?.identifier === '3', 'the token is for the refund of order 3')
  stage.done('the agent asks again and has its token, for the refund of order 3')
  await refusedAssay(stage, world.host, words, {
    title: 'the same once more: the approval is used up',
    code: 'authorization-requestable',
  })
}

async function activatePolicy(stage: Stage, world: World): Promise<void> {
  const starter = new URL('../../ca/authorization-starter.cedar', import.meta.url)
  const text = `${await readFile(starter, 'utf8')}\n${policy}`
  const file = await write(world, 'refunds.cedar', text)
  await assay(stage, world.operator, ['policy', 'propose', file])
  const kind = ['--kind', 'authorization']
  await assay(stage, world.operator, ['policy', 'activate', '2', ...kind, '--file', file])
  stage.done('“no-refunds” forbids refunds unless they were approved, and is @requestable')
}

async function registerSecond(stage: Stage, world: World, fingerprint: string): Promise<Place> {
  const second = { ASSAY_HOME: join(dirname(world.rootFile), 'second-home') }
  const options = ['--fingerprint', fingerprint, '--name', 'bob', '--key', 'file']
  const asked = await assay(stage, second, ['operator', 'request', world.issuer, ...options])
  const file = await write(world, 'bob.json', asked)
  await assay(stage, world.operator, ['operator', 'add', file, '--role', 'administrator'])
  return second
}
