import { hash, randomBytes, sign, verify } from 'node:crypto'
import { AppraisalPolicy } from '../../src/core/appraisal/appraisal-policy.ts'
import { appraise } from '../../src/core/appraisal/appraise.ts'
import { verifyLogs } from '../../src/core/appraisal/measured-platform.ts'
import type { PolicyDocument } from '../../src/core/appraisal/policy.ts'
import { EVENT_TYPE } from '../../src/core/eventlog/event-type.ts'
import { verifyAttestationKey } from '../../src/core/verifier/attestation-key.ts'
import { createChallenge } from '../../src/core/verifier/challenge.ts'
import { verifyEndorsementKey } from '../../src/core/verifier/endorsement-key.ts'
import {
  parseEvidence,
  verifyEvidence,
  type EvidenceInput,
  type VerifiedEvidence,
} from '../../src/core/verifier/evidence.ts'
import { answerChallenge } from '../../swtpm/emulated/answer.ts'
import { grub, grubBoot } from '../../swtpm/emulated/boot-events.ts'
import { eventDigest, type MadeEvent } from '../../swtpm/emulated/event-log.ts'
import { playBoot } from '../../swtpm/emulated/play-boot.ts'
import { createTestKey } from '../support/compact-jws.ts'
import { createTestTpm } from '../support/emulated-tpm.ts'
import { measureMicroseconds } from './cost.ts'
import { createRate, type Rate } from './rate.ts'

const eventCount = 200
const now = new Date()
const audience = 'https://assay.bench.example'
const pcrs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14]

const policy = AppraisalPolicy.prepare(
  {
    name: 'bench',
    assurance: ['emulated'],
    pcrs: { sha256: pcrs },
    validitySeconds: 3600,
    minimumStatus: 'affirming',
    referenceValues: {},
    allowLists: {},
    rules: [
      { kind: 'endorsement', id: 'endorsement', accept: ['certificate'] },
      { kind: 'event-log', id: 'log', explain: pcrs, quirks: [], tolerate: [] },
      { kind: 'secure-boot', id: 'secure-boot' },
    ],
  } satisfies PolicyDocument,
  1,
)

/** The boot of a machine whose GRUB ran a long configuration: that many events, all of them explained. */
function longBoot(): MadeEvent[] {
  const boot = grubBoot()
  const place = boot.findIndex(({ pcr, type }) => pcr === 8 && type === EVENT_TYPE.IPL)
  const more = Array.from({ length: eventCount - boot.length }, (_, n) =>
    grub(
      'grub_cmd: ',
      `menuentry Linux ${n} --class gnu-linux --unrestricted $menuentry_id_option`,
    ),
  )
  return boot.toSpliced(place, 0, ...more)
}

/**
 * Appraisal of one full Evidence: activation proof, quote, certification of the key, its request, and a log of 200
 * events, against a policy that looks at the boot. Beside it the three signatures and the hashes that nobody can spare:
 * each event's data, each extension of a PCR, and the bytes of the Evidence once.
 */
export function benchAppraisal(): Rate {
  const events = longBoot()
  const { input, logs, verifyAnswer } = enroll(events)
  const own = measureMicroseconds(200, () => {
    const evidence = verifyAnswer()
    const measured = verifyLogs(evidence, logs, policy, undefined)
    const result = appraise(evidence, policy, {
      now,
      measured,
      evidenceSha256: evidence.sha256,
      endorsementKind: 'certificate',
      challengedAt: now,
      before: undefined,
      advisories: [],
      isEmulationAllowed: true,
    })
    if (!result.isAccepted) throw new Error(`the Evidence of a bench is accepted: ${result.status}`)
  })
  return createRate(own, measureRaw(events, input, logs.eventLog))
}

interface BenchEnrollment {
  readonly input: EvidenceInput
  readonly logs: { readonly eventLog: Uint8Array; readonly imaLog: null }
  readonly verifyAnswer: () => VerifiedEvidence
}

function enroll(events: readonly MadeEvent[]): BenchEnrollment {
  const { tpm, anchor, keys } = createTestTpm(now.getTime())
  playBoot(tpm, { events, files: [] })
  const endorsementKey = verifyEndorsementKey({ ...keys.endorsementKey, anchors: [anchor], now })
  const attestationKey = verifyAttestationKey(keys.attestationKey)
  const secret = randomBytes(32)
  const random = (length: number): Uint8Array => randomBytes(length)
  const challenge = {
    id: 'enrolment',
    nonce: randomBytes(32),
    audience,
    pcrSelection: { sha256: pcrs },
    ...createChallenge({ endorsementKey, attestationKey, secret, random }),
  }
  const { key: _key, ...input } = answerChallenge(tpm, challenge)
  const expected = { ...challenge, endorsementKey, attestationKey, secret }
  return {
    input,
    logs: { eventLog: tpm.logs.eventLog ?? new Uint8Array(), imaLog: null },
    verifyAnswer: () =>
      verifyEvidence(parseEvidence(input), { ...expected, enrollmentId: challenge.id }),
  }
}

function measureRaw(
  events: readonly MadeEvent[],
  { quote, subjectKey, csr }: EvidenceInput,
  eventLog: Uint8Array,
): number {
  const { privateKey, publicKey } = createTestKey()
  const signed = [quote.attest, subjectKey.certify.attest, csr].map(message => ({
    message,
    signature: sign('sha256', message, privateKey),
  }))
  const hashed = events.flatMap(event => [
    event.measured ?? event.data,
    Buffer.concat([Buffer.alloc(32), eventDigest(event, 'sha256')]),
  ])
  hashed.push(eventLog, ...signed.map(({ message }) => message))
  return measureMicroseconds(500, () => {
    for (const { message, signature } of signed) verify('sha256', message, publicKey, signature)
    for (const bytes of hashed) hash('sha256', bytes, 'buffer')
  })
}
