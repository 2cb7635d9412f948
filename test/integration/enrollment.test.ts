import {
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { stat } from 'node:fs/promises'
import test from 'ava'
import { Hierarchy, Tpm } from '../../native/index.ts'
import {
  createAgent,
  rekeyAgent,
  renewCredential,
  type AgentKeyRequest,
} from '../../src/attester/agents.ts'
import { Answer } from '../../src/attester/answer.ts'
import { createAttestationKey } from '../../src/attester/attestation-key.ts'
import { parseEnrollmentChallenge, type EnrollmentChallenge } from '../../src/attester/challenge.ts'
import type { ClientKey } from '../../src/attester/client-key.ts'
import { createCertificationRequest } from '../../src/attester/csr.ts'
import { openEndorsement, type CertifiedEndorsement } from '../../src/attester/endorsement.ts'
import { enrollHost, type EnrolledHost } from '../../src/attester/enroll.ts'
import { AttesterError } from '../../src/attester/error.ts'
import { collectEvidence, evidenceBody } from '../../src/attester/evidence.ts'
import type { Home } from '../../src/attester/home.ts'
import { RemoteError } from '../../src/attester/remote-error.ts'
import type { ServiceClient } from '../../src/attester/service-client.ts'
import { withSlots } from '../../src/attester/slots.ts'
import { createQuote } from '../../src/attester/quote.ts'
import { createSubjectKey, subjectKeyBody } from '../../src/attester/subject-key.ts'
import { openTpmKey } from '../../src/attester/tpm-key.ts'
import { parseTss2Key } from '../../src/attester/tss2-key.ts'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { exportJwk } from '../../src/core/jose/jwk.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { census, empty } from './native-fixtures.ts'
import { admitManufacturer, startServiceBench } from './service-fixtures.ts'

const bench = await startTestBench({ endorsementKeys: ['ecc-p256'] })
const service = await startServiceBench()
await admitManufacturer(service.operator, bench.manufacturer)
const tpm = await Tpm.open(bench.tcti)
const audience = 'https://tickets.example'
const className = 'helper'
await service.operator.call('POST', '/v1/classes', {
  name: className,
  audiences: [audience],
  scopes: ['tickets:read', 'tickets:write'],
  hosts: ['*'],
})
const host = await enroll()
test.after.always(async () => {
  await tpm.close()
  await service.stop()
  await bench.stop()
})

/** A host of the service in a home of its own, with a client that speaks for it. */
interface Host extends AgentKeyRequest {
  readonly enrolled: EnrolledHost
  readonly key: ClientKey
}

/** Every host here is one machine with one TPM: enrolling again replaces the key of before. */
async function enroll(at: Tpm = tpm, name = 'host-1'): Promise<Host> {
  const home = await service.createHome()
  const enrolled = await enrollHost({ client: service.connect(), tpm: at, name, home })
  const key = await openTpmKey(at, await home.readText(enrolled.keyFile))
  return { enrolled, key, client: service.connect(key), tpm: at, home }
}

/** A client that speaks for an agent, with its key. */
async function openAgent(
  home: Home,
  keyFile: string,
): Promise<{ key: ClientKey; client: ServiceClient }> {
  const key = await openTpmKey(tpm, await home.readText(keyFile))
  return { key, client: service.connect(key) }
}

async function refusalOf(attempt: Promise<unknown>): Promise<RemoteError> {
  const error = await attempt.then(
    () => new Error('the service did not refuse'),
    (cause: unknown) => cause,
  )
  if (error instanceof RemoteError) return error
  throw error
}

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  return (await refusalOf(attempt)).code
}

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
    for (const file of [enrolled.keyFile, enrolled.certificateFile, 'host.json', 'root.pem']) {
      t.is((await stat(home.path(file))).mode & 0o777, 0o600, file)
    }
    t.is(parseTss2Key(await home.readText(enrolled.keyFile)).emptyAuth, true)
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
      t.deepEqual((await host.home.findAgent(agent.id))?.spiffeId, agent.spiffeId)
      const certificate = new X509Certificate(agent.certificateChain[0] ?? '')
      t.is(certificate.subjectAltName, `URI:${agent.spiffeId}`)
      t.is(new Date(certificate.validTo).getTime(), Math.floor(agent.notAfter / 1000) * 1000)
      const { key, client } = await openAgent(host.home, agent.keyFile)
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
  const made = await Promise.all(
    Array.from({ length: 10 }, async () => await createAgent({ ...host, className })),
  )
  t.is(new Set(made.map(({ id }) => id)).size, 10)
  await host.key.close()
  t.deepEqual(await census(tpm), empty)
})

test.serial('renews the certificates of host and agent for the keys that they have', async t => {
  const agent = await createAgent({ ...host, className })
  const own = await openAgent(host.home, agent.keyFile)
  const renewed = await renewCredential({
    ...own,
    home: host.home,
    subject: { kind: 'agent', ...agent },
  })
  t.not(renewed.serial, agent.serial)
  const [before, after] = [agent, renewed].map(
    ({ certificateChain }) => new X509Certificate(certificateChain[0] ?? ''),
  )
  t.true(after?.publicKey.equals(before?.publicKey as NonNullable<typeof before>['publicKey']))
  t.is(await host.home.readText(agent.certificateFile), renewed.certificateChain.join(''))
  const { client, key, home, enrolled } = host
  const hostRenewed = await renewCredential({
    client,
    key,
    home,
    subject: { kind: 'host', ...enrolled },
  })
  t.is(await home.readText(enrolled.certificateFile), hostRenewed.certificateChain.join(''))
  await own.key.close()
})

test.serial('renews for nobody with another key, nor for anybody else', async t => {
  const agent = await createAgent({ ...host, className })
  const other = await createAgent({ ...host, className })
  const own = await openAgent(host.home, agent.keyFile)
  const otherKey = await openAgent(host.home, other.keyFile)
  const subject = { kind: 'agent', ...agent } as const
  const swapped = renewCredential({
    client: own.client,
    key: otherKey.key,
    home: host.home,
    subject,
  })
  t.is(await codeOf(swapped), 'renewal-key-differs')
  const foreign = renewCredential({
    client: otherKey.client,
    key: otherKey.key,
    home: host.home,
    subject,
  })
  t.is(await codeOf(foreign), 'caller-not-permitted')
})

test.serial('gives an agent a new key, and the old one is of no use any more', async t => {
  const agent = await createAgent({ ...host, className })
  const before = await openAgent(host.home, agent.keyFile)
  t.truthy(await before.client.token({ resource: audience }))
  const rekeyed = await rekeyAgent({ ...host, agentId: agent.id })
  t.is(rekeyed.spiffeId, agent.spiffeId)
  const after = await openAgent(host.home, rekeyed.keyFile)
  t.not(after.key.jkt, before.key.jkt)
  t.truthy(await after.client.token({ resource: audience }))
  t.is(await codeOf(before.client.token({ resource: audience })), 'key-superseded')
  await Promise.all([before.key.close(), after.key.close()])
})

test.serial(
  'does not create an agent where no host is enrolled, or of a class that is not registered',
  async t => {
    const home = await service.createHome()
    const homeless = createAgent({ ...host, home, className })
    t.is((await t.throwsAsync(homeless, { instanceOf: AttesterError })).code, 'not-enrolled')
    t.is(await codeOf(createAgent({ ...host, className: 'unheard-of' })), 'class-unknown')
  },
)

test.serial('says that the TPM is not the one that this host enrolled with', async t => {
  const other = await startTestBench()
  const foreign = await Tpm.open(other.tcti)
  const attempt = createAgent({ ...host, tpm: foreign, className })
  t.is(
    (await t.throwsAsync(attempt, { instanceOf: AttesterError })).code,
    'attestation-key-differs',
  )
  t.deepEqual(await census(foreign), empty)
  await foreign.close()
  await other.stop()
})

// What a host does in an enrolment, step by step, so that each may be done wrong.

interface OpenEnrollment {
  readonly challenge: EnrollmentChallenge
  readonly path: string
}

function keysBody(endorsement: CertifiedEndorsement, attestationKey: Uint8Array): object {
  return {
    endorsementKey: {
      public: encodeBase64url(endorsement.public),
      certificate: encodeBase64url(endorsement.certificate),
      chain: endorsement.chain.map(encodeBase64url),
    },
    attestationKey: { public: encodeBase64url(attestationKey) },
  }
}

async function requestChallenge(
  endorsement: CertifiedEndorsement,
  attestationKey: Uint8Array,
): Promise<OpenEnrollment> {
  const body = { name: 'host-1', ...keysBody(endorsement, attestationKey) }
  const answer = await service.connect().request('POST', '/v1/enrollments', body)
  const challenge = parseEnrollmentChallenge(answer, service.issuer)
  return { challenge, path: `/v1/enrollments/${challenge.id}/evidence` }
}

/** A whole answer to a challenge, and where it is sent. */
async function answerOf(at: Tpm): Promise<{ path: string; body: object }> {
  return await withSlots(at, async () => {
    const endorsement = await openEndorsement(at)
    const created = await createAttestationKey(at, service)
    try {
      const { challenge, path } = await requestChallenge(endorsement, created.public)
      const evidence = await collectEvidence(at, {
        endorsement,
        attestationKey: created.handle,
        challenge,
      })
      return { path, body: evidenceBody(evidence) }
    } finally {
      await at.flush(endorsement.handle)
      await at.flush(created.handle)
    }
  })
}

test.serial('accepts one answer to a challenge, however often and at once it is sent', async t => {
  const { path, body } = await answerOf(tpm)
  const client = service.connect()
  const sent = await Promise.all(
    Array.from({ length: 100 }, async () => {
      return await client.request('POST', path, body).then(
        () => 'accepted',
        (error: RemoteError) => error.code,
      )
    }),
  )
  t.is(sent.filter(outcome => outcome === 'accepted').length, 1)
  t.is(sent.filter(outcome => outcome === 'challenge-used').length, 99)
  t.is(await codeOf(client.request('POST', path, body)), 'challenge-used')
})

test.serial(
  'refuses the answer to another challenge, and takes the challenge out of use with it',
  async t => {
    const [first, second] = [await answerOf(tpm), await answerOf(tpm)]
    const client = service.connect()
    t.is(await codeOf(client.request('POST', first.path, second.body)), 'activation-proof')
    t.is(await codeOf(client.request('POST', first.path, first.body)), 'challenge-used')
    t.truthy(await client.request('POST', second.path, second.body))
  },
)

test.serial('refuses evidence of a TPM that cannot solve the challenge it asked for', async t => {
  const other = await startTestBench()
  const own = await Tpm.open(other.tcti)
  // The certificate of this TPM, shown by another one with an attestation key of its own.
  const endorsement = await openEndorsement(tpm)
  const ownEndorsement = await openEndorsement(own)
  const created = await createAttestationKey(own, service)
  const { challenge, path } = await requestChallenge(endorsement, created.public)
  const keys = { attestationKey: created.handle, challenge }
  const unsolved = collectEvidence(own, { ...keys, endorsement: ownEndorsement })
  t.is((await t.throwsAsync(unsolved, { instanceOf: AttesterError })).code, 'challenge-unsolvable')
  // It answers all the same, as if it had the secret.
  const forged = await forgeEvidence(own, created.handle, challenge)
  t.is(await codeOf(service.connect().request('POST', path, forged)), 'activation-proof')
  await tpm.flush(endorsement.handle)
  await own.close()
  await other.stop()
})

/** Evidence of a TPM for a challenge that another one would have to solve. */
async function forgeEvidence(
  own: Tpm,
  attestationKey: Parameters<typeof collectEvidence>[1]['attestationKey'],
  challenge: EnrollmentChallenge,
): Promise<object> {
  const context = {
    purpose: 'host',
    audience: challenge.audience,
    contextId: challenge.id,
    nonce: challenge.nonce,
  } as const
  const key = await createSubjectKey(own, { attestationKey, context })
  const quote = await createQuote(own, {
    signer: attestationKey,
    pcrs: challenge.pcrs,
    qualifyingData: randomBytes(32),
  })
  return evidenceBody({ activation: randomBytes(32), quote, key })
}

test.serial('refuses a TPM of a manufacturer that nobody admitted', async t => {
  const other = await startTestBench()
  const own = await Tpm.open(other.tcti)
  const home = await service.createHome()
  const error = await refusalOf(
    enrollHost({ client: service.connect(), tpm: own, name: 'stranger', home }),
  )
  t.regex(error.code, /^path-/)
  t.is(error.checks.at(-1)?.outcome, 'fail')
  t.is(await home.findHost(), undefined)
  t.is(await home.findService(), undefined)
  t.deepEqual(await census(own), empty)
  await own.close()
  await other.stop()
})

test.serial(
  'lets a TPM without certificate in on the word of operator and policy alone',
  async t => {
    const other = await startTestBench()
    const own = await Tpm.open(other.tcti)
    for (const index of [0x01c0_0002, 0x01c0_0016]) {
      await own.nvUndefineSpace({ index, hierarchy: Hierarchy.platform })
    }
    const home = await service.createHome()
    const request = { client: service.connect(), tpm: own, name: 'bare', home }
    const bare = await t.throwsAsync(enrollHost(request), { instanceOf: AttesterError })
    t.is(bare.code, 'endorsement-certificate-absent')
    const steps: string[] = []
    const declaring = {
      ...request,
      withoutCertificate: true,
      progress: (step: string) => steps.push(step),
    }
    t.is(await codeOf(enrollHost(declaring)), 'endorsement-pending')
    const [spkiSha256 = ''] = steps.flatMap(step => /[0-9a-f]{64}/.exec(step) ?? [])
    const answer = new Answer(
      await service.operator.call('GET', '/v1/endorsements'),
      'endorsements',
    )
    const [id = ''] = answer.list('endorsements', value =>
      new Answer(value, 'endorsement').id('id'),
    )
    const approve = async (digest: string): Promise<unknown> => {
      return await service.operator.call('POST', `/v1/endorsements/${id}/approve`, {
        spkiSha256: digest,
      })
    }
    t.is(await codeOf(approve('0'.repeat(64))), 'endorsement-differs')
    t.truthy(await approve(spkiSha256))
    // The evidence is genuine; the policy of this service admits only what a manufacturer certified.
    t.is(await codeOf(enrollHost(declaring)), 'attestation-contraindicated')
    t.deepEqual(await census(own), empty)
    await own.close()
    await other.stop()
  },
)

test.serial('refuses a request for a key that the TPM did not certify', async t => {
  const again = await enroll()
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const software = await createCertificationRequest({
    algorithm: 'ES256',
    jwk: exportJwk(publicKey),
    sign: async message =>
      await Promise.resolve(
        sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
      ),
  })
  const answer = new Answer(
    await again.client.call('POST', '/v1/agents', { class: className }),
    'agent',
  )
  const agentId = answer.within('agent').id('id')
  const challenge = answer.within('challenge')
  const key = await withSlots(tpm, async () => {
    const created = await createAttestationKey(tpm, service)
    return await tpm.withHandle(created.handle, async attestationKey => {
      const context = {
        purpose: 'agent',
        audience: service.issuer,
        contextId: agentId,
        nonce: challenge.octets('nonce'),
      } as const
      return await createSubjectKey(tpm, { attestationKey, context })
    })
  })
  const path = `/v1/agents/${agentId}/credentials`
  const evidence = { challenge: challenge.id('id'), subjectKey: subjectKeyBody(key) }
  const swapped = again.client.call('POST', path, { csr: encodeBase64url(software), evidence })
  t.is(await codeOf(swapped), 'certify-binding')
  // The challenge went with the attempt: the right request comes too late.
  const late = again.client.call('POST', path, { csr: encodeBase64url(key.csr), evidence })
  t.is(await codeOf(late), 'challenge-used')
})

test.serial('revokes a host with all its agents, certificates and tokens, for good', async t => {
  const again = await enroll()
  const agent = await createAgent({ ...again, className })
  const { key, client } = await openAgent(again.home, agent.keyFile)
  t.truthy(await client.token({ resource: audience }))
  await service.operator.call('POST', `/v1/hosts/${again.enrolled.id}/revoke`, { reason: 'a test' })
  const renewal = { client, key, home: again.home, subject: { kind: 'agent', ...agent } } as const
  const codes = [
    await codeOf(client.token({ resource: audience })),
    await codeOf(renewCredential(renewal)),
    await codeOf(createAgent({ ...again, className })),
    await codeOf(service.connect(again.key).token({ resource: service.issuer })),
    await codeOf(enroll()),
  ]
  t.deepEqual(new Set(codes), new Set(['host-revoked']))
  await Promise.all([key.close(), again.key.close()])
  t.deepEqual(await census(tpm), empty)
})
