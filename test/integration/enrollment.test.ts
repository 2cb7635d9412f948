import { createPublicKey, X509Certificate } from 'node:crypto'
import { stat } from 'node:fs/promises'
import test from 'ava'
import { Hierarchy } from '../../native/index.ts'
import { createAgent, rekeyAgent } from '../../src/attester/agents.ts'
import { createTpmProver, renewCredential } from '../../src/attester/renewal.ts'
import { Answer } from '../../src/attester/answer.ts'
import { attestationFiles, enrollHost } from '../../src/attester/enroll.ts'
import { AttesterError } from '../../src/attester/error.ts'
import { HomeError } from '../../src/attester/home-error.ts'
import { openTpmKey } from '../../src/attester/tpm-key.ts'
import { parseTss2Key } from '../../src/attester/tss2-key.ts'
import { run } from '../../swtpm/programs.ts'
import {
  audience,
  className,
  codeOf,
  refusalOf,
  startEnrollmentBench,
  withOtherMachine,
} from './enrollment-bench.ts'
import { census, empty } from './native-fixtures.ts'
import { admitManufacturer } from './service-fixtures.ts'

const bench = await startEnrollmentBench()
const { service, tpm } = bench
const host = await bench.enroll()
test.after.always(async () => await bench.stop())

test.serial(
  'enrols a host, and keeps what belongs to it in files that are for its owner alone',
  async t => {
    const { home, enrolled, key } = host
    t.deepEqual(await home.findHost(), {
      id: enrolled.id,
      spiffeId: enrolled.spiffeId,
      name: 'host-1',
      keyFile: enrolled.keyFile,
      certificateFile: enrolled.certificateFile,
    })
    t.is((await home.loadService()).issuer, service.issuer)
    t.like(enrolled.attestationResult, { status: 'affirming' })
    const certificate = new X509Certificate(await home.readText(enrolled.certificateFile))
    t.is(certificate.subjectAltName, `URI:${enrolled.spiffeId}`)
    t.true(certificate.publicKey.equals(createPublicKey({ key: { ...key.jwk }, format: 'jwk' })))
    t.is(await home.readText(attestationFiles.ear), `${enrolled.ear}\n`)
    const { keyFile, certificateFile } = enrolled
    for (const file of [
      keyFile,
      certificateFile,
      ...Object.values(attestationFiles),
      'host.json',
    ]) {
      t.is((await stat(home.path(file))).mode & 0o777, 0o600, file)
    }
    t.true(parseTss2Key(await home.readText(keyFile)).emptyAuth)
    t.deepEqual(await census(tpm), empty)
  },
)

test.serial(
  'creates two agents, each with a key of its own and a token that only this key can use',
  async t => {
    const jkts = new Set<string>()
    for (let i = 0; i < 2; i += 1) {
      const agent = await createAgent({ ...host, className })
      t.is(agent.className, className)
      t.is((await host.home.findAgent(agent.id))?.spiffeId, agent.spiffeId)
      const certificate = new X509Certificate(agent.certificateChain[0] ?? '')
      t.is(certificate.subjectAltName, `URI:${agent.spiffeId}`)
      t.is(new Date(certificate.validTo).getTime(), Math.floor(agent.notAfter / 1000) * 1000)
      const { key, client } = await bench.openAgent(host, agent.keyFile)
      const token = await client.token({ resource: audience, scope: 'tickets:read' })
      const [, claims = ''] = token.access_token.split('.')
      t.like(JSON.parse(Buffer.from(claims, 'base64url').toString()), {
        aud: audience,
        scope: 'tickets:read',
        sub: agent.spiffeId,
        cnf: { jkt: key.jkt },
      })
      jkts.add(key.jkt)
      await key.close()
    }
    t.is(jkts.size, 2)
    t.is((await host.home.listAgents()).length, 2)
    await host.key.close()
    t.deepEqual(await census(tpm), empty)
  },
)

test.serial('creates ten agents at once on a TPM of three slots', async t => {
  const creations = Array.from(
    { length: 10 },
    async () => await createAgent({ ...host, className }),
  )
  const ids = (await Promise.all(creations)).map(({ id }) => id)
  t.is(new Set(ids).size, 10)
  await host.key.close()
  t.deepEqual(await census(tpm), empty)
})

test.serial('renews the certificates of host and agent for the keys that they have', async t => {
  const agent = await createAgent({ ...host, className })
  const own = await bench.openAgent(host, agent.keyFile)
  const subject = { kind: 'agent', ...agent } as const
  const { home } = host
  const prove = createTpmProver({ ...own, home, tpm }, agent.keyFile)
  const renewed = await renewCredential({ ...own, home, subject, prove })
  t.not(renewed.serial, agent.serial)
  const certificate = new X509Certificate(renewed.certificateChain[0] ?? '')
  t.true(
    certificate.publicKey.equals(new X509Certificate(agent.certificateChain[0] ?? '').publicKey),
  )
  t.is(await host.home.readText(agent.certificateFile), renewed.certificateChain.join(''))
  const { client, key, enrolled } = host
  const again = await renewCredential({
    client,
    key,
    home,
    subject: { kind: 'host', ...enrolled },
    prove: createTpmProver({ client, home, tpm }, enrolled.keyFile),
  })
  t.is(await home.readText(enrolled.certificateFile), again.certificateChain.join(''))
  await own.key.close()
})

test.serial('renews for nobody with another key, nor for anybody else', async t => {
  const [agent, other] = [
    await createAgent({ ...host, className }),
    await createAgent({ ...host, className }),
  ]
  const own = await bench.openAgent(host, agent.keyFile)
  const others = await bench.openAgent(host, other.keyFile)
  const { home } = host
  const renewal = { home, subject: { kind: 'agent', ...agent } } as const
  const prove = createTpmProver({ ...own, home, tpm }, other.keyFile)
  t.is(await codeOf(renewCredential({ ...renewal, ...own, prove })), 'renewal-key-differs')
  t.is(await codeOf(renewCredential({ ...renewal, ...others, prove })), 'caller-not-permitted')
  t.is(await host.home.readText(agent.certificateFile), agent.certificateChain.join(''))
})

test.serial('gives an agent a new key, and the old one is of no use any more', async t => {
  const agent = await createAgent({ ...host, className })
  const before = await bench.openAgent(host, agent.keyFile)
  t.truthy(await before.client.token({ resource: audience }))
  const rekeyed = await rekeyAgent({ ...host, agentId: agent.id })
  t.is(rekeyed.spiffeId, agent.spiffeId)
  const after = await bench.openAgent(host, rekeyed.keyFile)
  t.not(after.key.jkt, before.key.jkt)
  t.truthy(await after.client.token({ resource: audience }))
  t.is(await codeOf(before.client.token({ resource: audience })), 'key-superseded')
  await Promise.all([before.key.close(), after.key.close()])
})

test.serial(
  'creates no agent where no host is enrolled, and none of a class that is not registered',
  async t => {
    const home = await service.createHome()
    const homeless = createAgent({ ...host, home, className })
    t.is((await t.throwsAsync(homeless, { instanceOf: AttesterError })).code, 'not-enrolled')
    t.is(await codeOf(createAgent({ ...host, className: 'unheard-of' })), 'class-unknown')
    t.is(await codeOf(rekeyAgent({ ...host, agentId: 'unheard-of' })), 'agent-unknown')
  },
)

test.serial('says that the TPM is not the one that this host enrolled with', async t => {
  await withOtherMachine(async own => {
    const attempt = createAgent({ ...host, tpm: own, className })
    t.is(
      (await t.throwsAsync(attempt, { instanceOf: AttesterError })).code,
      'attestation-key-differs',
    )
    t.deepEqual(await census(own), empty)
  })
})

test.serial(
  'keeps nothing of an enrolment that was refused, and tells which check failed',
  async t => {
    await withOtherMachine(async own => {
      const home = await service.createHome()
      const attempt = enrollHost({ client: service.connect(), tpm: own, name: 'stranger', home })
      const error = await refusalOf(attempt)
      t.regex(error.code, /^path-/)
      t.is(error.checks.at(-1)?.outcome, 'fail')
      t.is(await home.findHost(), undefined)
      t.is(await home.findService(), undefined)
      t.deepEqual(await census(own), empty)
    })
  },
)

test.serial('enrols in no home that belongs to another service, and shows it nothing', async t => {
  const home = await service.createHome()
  const { root } = await host.home.loadService()
  await home.saveService({ issuer: 'https://other.example', root })
  const steps: string[] = []
  const progress = (step: string): number => steps.push(step)
  const request = { client: service.connect(), tpm, name: 'host-1', home, progress }
  const error = await t.throwsAsync(enrollHost(request), { instanceOf: HomeError })
  t.is(error.code, 'home-other-service')
  t.deepEqual(steps, [])
})

test.serial('enrols a TPM whose owner has set values for its hierarchies', async t => {
  await withOtherMachine(async (own, { tcti, manufacturer }) => {
    await admitManufacturer(service.operator, manufacturer)
    const endorsementAuth = Buffer.from('endorsement value')
    const ownerAuth = Buffer.from('owner value')
    await run('tpm2_changeauth', ['-T', tcti, '-c', 'endorsement', endorsementAuth.toString()])
    await run('tpm2_changeauth', ['-T', tcti, '-c', 'owner', ownerAuth.toString()])
    const home = await service.createHome()
    const request = { client: service.connect(), tpm: own, name: 'owned', home } as const
    const refusing = async (values: object): Promise<string> => {
      const attempt = enrollHost({ ...request, ...values, template: 'L-1' })
      return (await t.throwsAsync(attempt, { instanceOf: AttesterError })).code
    }
    t.is(await refusing({}), 'endorsement-authorization')
    t.is(await refusing({ endorsementAuth }), 'owner-authorization')
    const values = { endorsementAuth, ownerAuth }
    const enrolled = await enrollHost({ ...request, ...values, template: 'L-1' })
    const key = await openTpmKey(own, await home.readText(enrolled.keyFile), values)
    const client = service.connect(key)
    const agent = await createAgent({ client, tpm: own, home, className, ...values })
    t.is(agent.className, className)
    await key.close()
    t.deepEqual(await census(own), empty)
  })
})

test.serial(
  'lets a TPM without certificate in on the word of operator and policy alone',
  async t => {
    await withOtherMachine(async own => {
      for (const index of [0x01c0_0002, 0x01c0_0016]) {
        await own.nvUndefineSpace({ index, hierarchy: Hierarchy.platform })
      }
      const home = await service.createHome()
      const digests: string[] = []
      const onDigest = (digest: string): number => digests.push(digest)
      const request = { client: service.connect(), tpm: own, name: 'bare', home, onDigest }
      const bare = await t.throwsAsync(enrollHost(request), { instanceOf: AttesterError })
      t.is(bare.code, 'endorsement-certificate-absent')
      const declaring = { ...request, withoutCertificate: true }
      t.is(await codeOf(enrollHost(declaring)), 'endorsement-pending')
      const [spkiSha256 = ''] = digests
      const answer = new Answer(await service.operator.call('GET', '/v1/endorsements'), 'answer')
      const [id = ''] = answer.list('endorsements', value =>
        new Answer(value, 'endorsement').id('id'),
      )
      const approve = async (digest: string): Promise<unknown> => {
        const body = { spkiSha256: digest }
        return await service.operator.call('POST', `/v1/endorsements/${id}/approve`, body)
      }
      t.is(await codeOf(approve('0'.repeat(64))), 'endorsement-differs')
      t.truthy(await approve(spkiSha256))
      // The evidence is genuine; the policy of this service admits only what a manufacturer certified.
      t.is(await codeOf(enrollHost(declaring)), 'attestation-contraindicated')
      t.deepEqual(await census(own), empty)
    })
  },
)
