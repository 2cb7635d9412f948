import { Tpm } from '../../native/index.ts'
import type { TpmAgentRequest } from '../../src/attester/agents.ts'
import { createAttestationKey } from '../../src/attester/attestation-key.ts'
import { parseEnrollmentChallenge, type EnrollmentChallenge } from '../../src/attester/challenge.ts'
import type { ClientKey } from '../../src/attester/client-key.ts'
import { openEndorsement, type CertifiedEndorsement } from '../../src/attester/endorsement.ts'
import { enrollHost, type EnrolledHost } from '../../src/attester/enroll.ts'
import { collectEvidence, evidenceBody } from '../../src/attester/evidence.ts'
import { RemoteError } from '../../src/attester/remote-error.ts'
import type { ServiceClient } from '../../src/attester/service-client.ts'
import { withSlots } from '../../src/attester/slots.ts'
import { openTpmKey } from '../../src/attester/tpm-key.ts'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { startTestBench, type TestBench } from '../../swtpm/software-tpm.ts'
import { admitManufacturer, startServiceBench, type ServiceBench } from './service-fixtures.ts'

/** The resource that agents of the one class may ask for. */
export const audience = 'https://tickets.example'
export const className = 'helper'

/** A host of the service in a home of its own, with a client that speaks for it. */
export interface Host extends TpmAgentRequest {
  readonly enrolled: EnrolledHost
  readonly key: ClientKey
}

/** One machine with one TPM, and a service that admits its manufacturer and has one class of agents. */
export interface EnrollmentBench {
  readonly service: ServiceBench
  readonly tpm: Tpm
  /** Enrols the machine; whoever enrols again replaces the key of before. */
  enroll(): Promise<Host>
  /** A client that speaks for an agent of a host, with its key. */
  openAgent(host: Host, keyFile: string): Promise<{ key: ClientKey; client: ServiceClient }>
  stop(): Promise<void>
}

export async function startEnrollmentBench(): Promise<EnrollmentBench> {
  const bench = await startTestBench({ endorsementKeys: ['ecc-p256'] })
  const service = await startServiceBench()
  await admitManufacturer(service.operator, bench.manufacturer)
  await service.operator.call('POST', '/v1/classes', {
    name: className,
    audiences: [audience],
    scopes: ['tickets:read', 'tickets:write'],
    hosts: ['*'],
  })
  const tpm = await Tpm.open(bench.tcti)
  return {
    service,
    tpm,
    enroll: async () => await enrollIn(service, tpm),
    openAgent: async ({ home }, keyFile) => {
      const key = await openTpmKey(tpm, await home.readText(keyFile))
      return { key, client: service.connect(key) }
    },
    stop: async () => {
      await tpm.close()
      await service.stop()
      await bench.stop()
    },
  }
}

async function enrollIn(service: ServiceBench, tpm: Tpm): Promise<Host> {
  const home = await service.createHome()
  const enrolled = await enrollHost({ client: service.connect(), tpm, name: 'host-1', home })
  const key = await openTpmKey(tpm, await home.readText(enrolled.keyFile))
  return { enrolled, key, client: service.connect(key), tpm, home }
}

/** Runs `work` with another machine, which no service knows yet. */
export async function withOtherMachine(
  work: (own: Tpm, bench: TestBench) => Promise<void>,
): Promise<void> {
  const other = await startTestBench()
  const own = await Tpm.open(other.tcti)
  try {
    await work(own, other)
  } finally {
    await own.close()
    await other.stop()
  }
}

/** What the service refuses with. */
export async function refusalOf(attempt: Promise<unknown>): Promise<RemoteError> {
  const error = await attempt.then(
    () => new Error('the service did not refuse'),
    (cause: unknown) => cause,
  )
  if (error instanceof RemoteError) return error
  throw error
}

/** The code of what the service refuses with. */
export async function codeOf(attempt: Promise<unknown>): Promise<string> {
  return (await refusalOf(attempt)).code
}

/** A challenge, and where its answer is sent. */
export interface OpenEnrollment {
  readonly challenge: EnrollmentChallenge
  readonly path: string
}

/** The first half of an enrolment, for whichever keys are shown. */
export async function requestChallenge(
  service: ServiceBench,
  endorsement: CertifiedEndorsement,
  attestationKey: Uint8Array,
): Promise<OpenEnrollment> {
  const answer = await service.connect().request('POST', '/v1/enrollments', {
    name: 'host-1',
    endorsementKey: {
      public: encodeBase64url(endorsement.public),
      certificate: encodeBase64url(endorsement.certificate),
      chain: endorsement.chain.map(encodeBase64url),
    },
    attestationKey: { public: encodeBase64url(attestationKey) },
  })
  const challenge = parseEnrollmentChallenge(answer, service.issuer)
  return { challenge, path: `/v1/enrollments/${challenge.id}/evidence` }
}

/** A whole answer to a challenge of its own, and where it is sent. */
export async function answerOf(
  service: ServiceBench,
  tpm: Tpm,
): Promise<{ path: string; body: object }> {
  return await withSlots(tpm, async () => {
    const endorsement = await openEndorsement(tpm)
    const created = await createAttestationKey(tpm, service)
    try {
      const { challenge, path } = await requestChallenge(service, endorsement, created.public)
      const keys = { endorsement, attestationKey: created.handle, challenge }
      return { path, body: evidenceBody(await collectEvidence(tpm, keys)) }
    } finally {
      await tpm.flush(endorsement.handle)
      await tpm.flush(created.handle)
    }
  })
}
