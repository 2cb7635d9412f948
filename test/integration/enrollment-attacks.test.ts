import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import test from 'ava'
import type { TpmHandle } from '../../native/index.ts'
import { createAgent } from '../../src/attester/agents.ts'
import { createTpmProver, renewCredential } from '../../src/attester/renewal.ts'
import { Answer } from '../../src/attester/answer.ts'
import { createAttestationKey } from '../../src/attester/attestation-key.ts'
import { createCertificationRequest } from '../../src/attester/csr.ts'
import { openEndorsement } from '../../src/attester/endorsement.ts'
import { AttesterError } from '../../src/attester/error.ts'
import { collectEvidence, evidenceBody } from '../../src/attester/evidence.ts'
import { createQuote } from '../../src/attester/quote.ts'
import type { RemoteError } from '../../src/attester/remote-error.ts'
import { withSlots } from '../../src/attester/slots.ts'
import { createStorageRoot } from '../../src/attester/storage-parent.ts'
import {
  createSubjectKey,
  subjectKeyBody,
  type CertifiedKey,
} from '../../src/attester/subject-key.ts'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { exportJwk } from '../../src/core/jose/jwk.ts'
import { subjectKeyTemplate } from '../../src/core/tpm/templates.ts'
import { certifyBinding } from '../../src/core/verifier/transcript.ts'
import {
  answerOf,
  audience,
  className,
  codeOf,
  requestChallenge,
  startEnrollmentBench,
  withOtherMachine,
  type Host,
} from './enrollment-bench.ts'
import { census, empty } from './native-fixtures.ts'

const bench = await startEnrollmentBench()
const { service, tpm } = bench
test.after.always(async () => await bench.stop())

test.serial('accepts one answer to a challenge, however often and at once it is sent', async t => {
  const { path, body } = await answerOf(service, tpm)
  const client = service.connect()
  const send = async (): Promise<string> => {
    return await client.request('POST', path, body).then(
      () => 'accepted',
      (error: RemoteError) => error.code,
    )
  }
  const outcomes = await Promise.all(Array.from({ length: 100 }, send))
  t.is(outcomes.filter(outcome => outcome === 'accepted').length, 1)
  t.is(outcomes.filter(outcome => outcome === 'challenge-used').length, 99)
  t.is(await send(), 'challenge-used')
})

test.serial(
  'refuses the answer to another challenge, and takes the challenge out of use with it',
  async t => {
    const [first, second] = [await answerOf(service, tpm), await answerOf(service, tpm)]
    const client = service.connect()
    t.is(await codeOf(client.request('POST', first.path, second.body)), 'activation-proof')
    t.is(await codeOf(client.request('POST', first.path, first.body)), 'challenge-used')
    t.truthy(await client.request('POST', second.path, second.body))
  },
)

test.serial('refuses evidence of a TPM that shows the certificate of another', async t => {
  await withOtherMachine(async own => {
    const endorsement = await openEndorsement(tpm)
    const ownEndorsement = await openEndorsement(own)
    const { handle: attestationKey, public: area } = await createAttestationKey(own, service)
    const { challenge, path } = await requestChallenge(service, endorsement, area)
    await tpm.flush(endorsement.handle)
    const unsolved = collectEvidence(own, {
      endorsement: ownEndorsement,
      attestationKey,
      challenge,
    })
    t.is(
      (await t.throwsAsync(unsolved, { instanceOf: AttesterError })).code,
      'challenge-unsolvable',
    )
    // It answers all the same, as if it had the secret.
    const context = { ...challenge, purpose: 'host', contextId: challenge.id } as const
    const key = await createSubjectKey(own, { attestationKey, context })
    const quoted = { signer: attestationKey, pcrs: challenge.pcrs, qualifyingData: randomBytes(32) }
    const quote = await createQuote(own, quoted)
    const forged = evidenceBody({ activation: randomBytes(32), quote, key })
    t.is(await codeOf(service.connect().request('POST', path, forged)), 'activation-proof')
  })
})

test.serial(
  'refuses an attestation key of another TPM beside the certificate of this one',
  async t => {
    await withOtherMachine(async own => {
      const endorsement = await openEndorsement(tpm)
      const foreign = await createAttestationKey(own, service)
      const { challenge } = await requestChallenge(service, endorsement, foreign.public)
      // The challenge is for a Name that this TPM does not hold: it does not give the secret away.
      const ownKey = await createAttestationKey(tpm, service)
      const attempt = collectEvidence(tpm, {
        endorsement,
        attestationKey: ownKey.handle,
        challenge,
      })
      t.is(
        (await t.throwsAsync(attempt, { instanceOf: AttesterError })).code,
        'challenge-unsolvable',
      )
      await tpm.flush(endorsement.handle)
      await tpm.flush(ownKey.handle)
      t.deepEqual(await census(tpm), empty)
    })
  },
)

/** A certificate request of a key that is in no TPM. */
async function createSoftwareRequest(): Promise<Uint8Array> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
  return await createCertificationRequest({
    algorithm: 'ES256',
    jwk: exportJwk(publicKey),
    sign: async message => await Promise.resolve(sign('sha256', message, key)),
  })
}

interface PendingAgent {
  readonly path: string
  readonly challengeId: string
  /** What a certification for it is bound to. */
  readonly context: {
    readonly purpose: 'agent'
    readonly audience: string
    readonly contextId: string
    readonly nonce: Uint8Array
  }
}

/** An agent that has no key yet, with the challenge for one. */
async function registerAgent({ client }: Host): Promise<PendingAgent> {
  const answer = new Answer(await client.call('POST', '/v1/agents', { class: className }), 'agent')
  const contextId = answer.within('agent').id('id')
  const challenge = answer.within('challenge')
  return {
    path: `/v1/agents/${contextId}/credentials`,
    challengeId: challenge.id('id'),
    context: {
      purpose: 'agent',
      audience: service.issuer,
      contextId,
      nonce: challenge.octets('nonce'),
    },
  }
}

async function withAttestationKey<T>(use: (attestationKey: TpmHandle) => Promise<T>): Promise<T> {
  return await withSlots(tpm, async () => {
    const { handle } = await createAttestationKey(tpm, service)
    return await tpm.withHandle(handle, use)
  })
}

test.serial('refuses a request for a key that the TPM did not certify', async t => {
  const host = await bench.enroll()
  const { path, challengeId, context } = await registerAgent(host)
  const key = await withAttestationKey(
    async attestationKey => await createSubjectKey(tpm, { attestationKey, context }),
  )
  const evidence = { challenge: challengeId, subjectKey: subjectKeyBody(key) }
  const csr = encodeBase64url(await createSoftwareRequest())
  t.is(await codeOf(host.client.call('POST', path, { csr, evidence })), 'certify-binding')
  // The challenge went with the attempt: the right request comes too late.
  const late = host.client.call('POST', path, { csr: encodeBase64url(key.csr), evidence })
  t.is(await codeOf(late), 'challenge-used')
})

/** A key of the TPM, certified as if the request of another key were its own. */
async function certifyFor(
  csr: Uint8Array,
  context: PendingAgent['context'],
): Promise<CertifiedKey> {
  return await withAttestationKey(async signer => {
    const root = await createStorageRoot(tpm)
    const created = await tpm.create({ parent: root.handle, public: subjectKeyTemplate() })
    const object = await tpm.load({ parent: root.handle, ...created })
    await tpm.flush(root.handle)
    const qualifyingData = certifyBinding({ ...context, csr, subjectName: object.name })
    const certify = await tpm.certify({ object, signer, qualifyingData })
    await tpm.flush(object)
    const parent = { public: root.public, hierarchy: 'owner' } as const
    return { public: created.public, parent, certify, csr, pem: '' }
  })
}

test.serial(
  'refuses a request for another key even where the TPM certified its own for it',
  async t => {
    const host = await bench.enroll()
    const { path, challengeId, context } = await registerAgent(host)
    const key = await certifyFor(await createSoftwareRequest(), context)
    const evidence = { challenge: challengeId, subjectKey: subjectKeyBody(key) }
    const sent = host.client.call('POST', path, { csr: encodeBase64url(key.csr), evidence })
    t.is(await codeOf(sent), 'csr-key-differs')
    await host.key.close()
  },
)

test.serial('refuses a key that was certified for another agent', async t => {
  const host = await bench.enroll()
  const [one, other] = [await registerAgent(host), await registerAgent(host)]
  const key = await withAttestationKey(
    async attestationKey => await createSubjectKey(tpm, { attestationKey, context: one.context }),
  )
  const body = (challenge: string): object => ({
    csr: encodeBase64url(key.csr),
    evidence: { challenge, subjectKey: subjectKeyBody(key) },
  })
  t.is(
    await codeOf(host.client.call('POST', other.path, body(other.challengeId))),
    'certify-binding',
  )
  t.is(
    await codeOf(host.client.call('POST', other.path, body(one.challengeId))),
    'challenge-unknown',
  )
  t.truthy(await host.client.call('POST', one.path, body(one.challengeId)))
  await host.key.close()
})

test.serial('revokes a host with all its agents, certificates and tokens, for good', async t => {
  const host = await bench.enroll()
  const agent = await createAgent({ ...host, className })
  const { key, client } = await bench.openAgent(host, agent.keyFile)
  t.truthy(await client.token({ resource: audience }))
  const path = `/v1/hosts/${host.enrolled.id}/revoke`
  await service.operator.call('POST', path, { reason: 'a test' })
  const { home } = host
  const prove = createTpmProver({ client, home, tpm }, agent.keyFile)
  const renewal = { client, key, home, subject: { kind: 'agent', ...agent }, prove } as const
  const codes = [
    await codeOf(client.token({ resource: audience })),
    await codeOf(renewCredential(renewal)),
    await codeOf(createAgent({ ...host, className })),
    await codeOf(service.connect(host.key).token({ resource: service.issuer })),
    await codeOf(bench.enroll()),
  ]
  t.deepEqual(new Set(codes), new Set(['host-revoked']))
  await Promise.all([key.close(), host.key.close()])
  t.deepEqual(await census(tpm), empty)
})
