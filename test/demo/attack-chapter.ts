import { readFile } from 'node:fs/promises'
import { openTpm } from '../../src/attester/connect.ts'
import { Home } from '../../src/attester/home.ts'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { openTpmKey } from '../../src/attester/tpm-key.ts'
import type { Tpm } from '../../native/index.ts'
import {
  answerWithOtherTpm,
  createSoftwareKey,
  refusalOf,
  replayAnswer,
  requestForeignKey,
} from './attacks.ts'
import { callApi } from './call.ts'
import { DemoFailure, Stage } from './stage.ts'
import type { World } from './world.ts'
import { className, type Enrolled, type Fetched } from './enrolled.ts'

/** Whatever an attacker tries is refused, each for its own reason. */
export async function attack(
  stage: Stage,
  world: World,
  enrolled: Enrolled,
  { token, proof }: Fetched,
): Promise<void> {
  stage.chapter('What an attacker gets')
  const { api } = enrolled
  const call = async (
    header: string | undefined,
  ): Promise<{ code: string; line: string } | undefined> => {
    const { status, code, title } = await callApi(api, token, header)
    return status === 200 ? undefined : { code, line: title }
  }
  await stage.refused(
    'the stolen token without the key',
    'dpop-missing',
    async () => await call(undefined),
  )
  await stage.refused(
    'the stolen token with the proof of the call before',
    'dpop-replayed',
    async () => await call(proof),
  )
  const thief = ServiceClient.create({
    issuer: world.issuer,
    trust: { fingerprint: enrolled.fingerprint },
    key: createSoftwareKey(),
  })
  world.undo(async () => await thief.close())
  const forged = await thief.proof({ method: 'GET', url: `${api.url}/orders`, accessToken: token })
  await stage.refused(
    'the stolen token with a key in software',
    'dpop-key',
    async () => await call(forged),
  )
  await attackOnHost(stage, world, thief)
}

/** What needs a TPM, as root on an enrolled host has one, or somebody else of their own. */
async function attackOnHost(stage: Stage, world: World, thief: ServiceClient): Promise<void> {
  const tpm = await openTpm(world.hostTpm.tcti)
  world.undo(async () => await tpm.close())
  const other = await openTpm(world.otherTpm.tcti)
  world.undo(async () => await other.close())
  const host = await connectHost(world, tpm)
  await stage.refused(
    'a certificate for a key that the TPM did not certify',
    'csr-key-differs',
    async () => await refusalOf(async () => await requestForeignKey(host, tpm, className)),
  )
  await stage.refused(
    'an answered challenge, answered again',
    'challenge-used',
    async () => await refusalOf(async () => await replayAnswer(thief, other, 'web-2')),
  )
  await stage.refused(
    'the challenge of one TPM, answered by another',
    'activation-proof',
    async () => await refusalOf(async () => await answerWithOtherTpm(thief, tpm, other, 'web-1')),
  )
}

async function connectHost(world: World, tpm: Tpm): Promise<ServiceClient> {
  const home = await Home.open(world.host['ASSAY_HOME'] ?? '')
  const { issuer, root } = await home.loadService()
  const identity = await home.findHost()
  if (identity === undefined) throw new DemoFailure('the host is not enrolled')
  const key = await openTpmKey(tpm, await readFile(home.path(identity.keyFile), 'utf8'))
  const client = ServiceClient.create({ issuer, trust: { root }, key })
  world.undo(async () => {
    await client.close()
    await key.close()
  })
  return client
}
