import { AppraisalPolicy } from '../../../src/core/appraisal/appraisal-policy.ts'
import { appraise, type AppraisalContext } from '../../../src/core/appraisal/appraise.ts'
import type { AttestationResult } from '../../../src/core/appraisal/attestation-result.ts'
import type { FirmwareAdvisory } from '../../../src/core/appraisal/firmware-advisory.ts'
import { verifyLogs } from '../../../src/core/appraisal/measured-platform.ts'
import type { PlatformState } from '../../../src/core/appraisal/platform-state.ts'
import type { PolicyDocument } from '../../../src/core/appraisal/policy.ts'
import type { Rule } from '../../../src/core/appraisal/rule-table.ts'
import type { AppraisalSubject } from '../../../src/core/appraisal/subject.ts'
import { verifyAttestationKey } from '../../../src/core/verifier/attestation-key.ts'
import { verifyEndorsementKey } from '../../../src/core/verifier/endorsement-key.ts'
import {
  parseEvidence,
  verifyEvidence,
  type VerifiedEvidence,
} from '../../../src/core/verifier/evidence.ts'
import { createChallenge } from '../../../src/core/verifier/challenge.ts'
import { answerChallenge } from '../../../swtpm/emulated/answer.ts'
import type { EmulatedTpm } from '../../../swtpm/emulated/emulated-tpm.ts'
import { createTestTpm, type TestTpm } from '../../support/emulated-tpm.ts'

export const now = new Date('2026-11-05T12:00:00Z')

export const digestA = 'a1'.repeat(32)
export const digestB = 'b2'.repeat(32)
export const digestC = 'c3'.repeat(32)

/** A rule that holds for every genuine host here, so that a policy is not empty. */
export const certified: Rule = { kind: 'endorsement', id: 'endorsement', accept: ['certificate'] }

export const document: PolicyDocument = {
  name: 'test',
  assurance: ['emulated'],
  pcrs: { sha256: [0, 4, 7] },
  validitySeconds: 3600,
  minimumStatus: 'affirming',
  referenceValues: { 'golden-a': { digests: [digestA] }, both: { digests: [digestA, digestB] } },
  allowLists: {},
  rules: [certified],
}

/** A document with one rule. */
export function withRule(rule: Rule, changes: Partial<PolicyDocument> = {}): PolicyDocument {
  return { ...document, ...changes, rules: [rule] }
}

export const advisory: FirmwareAdvisory = {
  id: 'CVE-0000-1',
  title: 'Made up for tests',
  vendor: 'id:49465800',
  versions: [{ from: '7.0', to: '7.61' }],
  reference: 'https://example.org/advisory',
}

/** What rules look at, of an ordinary host. */
export const subject: AppraisalSubject = {
  now,
  policy: document,
  platform: {
    attestationName: '000b'.padEnd(68, '1'),
    firmwareVersion: 0x0007_0055_0000_0000n,
    clockInfo: { clock: 50_000n, resetCount: 5, restartCount: 1, safe: true },
  },
  pcrs: new Map([
    [0, digestA],
    [4, digestB],
    [7, digestC],
  ]),
  boot: undefined,
  ima: undefined,
  endorsement: { kind: 'certificate', vendor: 'id:49465800', assurance: 'tpm-discrete' },
  challengedAt: new Date(now.getTime() - 30_000),
  before: undefined,
  advisories: [],
}

export const state: PlatformState = {
  attestationName: subject.platform.attestationName,
  firmwareVersion: subject.platform.firmwareVersion.toString(),
  clock: '40000',
  resetCount: 5,
  restartCount: 1,
  safe: true,
  reboots: 2,
  pins: {},
  ima: null,
}

const audience = 'https://assay.example'
const nonce = new Uint8Array(32).fill(7)
const secret = new Uint8Array(32).fill(9)

/** An emulated TPM with PCR values as in {@link subject}. */
export function createTpm(): TestTpm {
  const made = createTestTpm(now.getTime())
  for (const [pcr, value] of subject.pcrs) made.tpm.pcrs.set(pcr, Buffer.from(value, 'hex'))
  return made
}

/** Genuine Evidence of a TPM, verified. */
export function verifiedEvidence(
  { tpm, anchor, keys }: TestTpm,
  pcrs: readonly number[] = document.pcrs.sha256,
): VerifiedEvidence {
  const endorsementKey = verifyEndorsementKey({ ...keys.endorsementKey, anchors: [anchor], now })
  const attestationKey = verifyAttestationKey(keys.attestationKey)
  const random = (length: number): Uint8Array => new Uint8Array(length).fill(3)
  const protectedSecret = createChallenge({ endorsementKey, attestationKey, secret, random })
  const pcrSelection = { sha256: pcrs }
  const challenge = { id: 'enrollment-1', nonce, audience, pcrSelection, ...protectedSecret }
  const { key: _key, ...answer } = answerChallenge(tpm, challenge)
  return verifyEvidence(parseEvidence(answer), {
    endorsementKey,
    attestationKey,
    audience,
    enrollmentId: 'enrollment-1',
    nonce,
    secret,
    pcrSelection,
  })
}

/** What a host without logs sends of them. */
export const noLogs = { eventLog: null, imaLog: null } as const

/** Appraises Evidence under a document. */
export function appraised(
  evidence: VerifiedEvidence,
  policy: PolicyDocument,
  changes: Partial<AppraisalContext> = {},
): AttestationResult {
  const prepared = AppraisalPolicy.prepare(policy, 3)
  return appraise(evidence, prepared, {
    now,
    measured: verifyLogs(evidence, noLogs, prepared, changes.before),
    evidenceSha256: 'ee'.repeat(32),
    endorsementKind: 'certificate',
    challengedAt: new Date(now.getTime() - 1000),
    before: undefined,
    advisories: [],
    isEmulationAllowed: true,
    ...changes,
  })
}

/** The state that an accepted attestation of this TPM leaves now. */
export function stateOf(tpm: EmulatedTpm, changes: Partial<PlatformState> = {}): PlatformState {
  const { clock, resetCount, restartCount, safe } = tpm.clockInfo
  return {
    attestationName: Buffer.from(tpm.attestationKey.name).toString('hex'),
    firmwareVersion: tpm.firmwareVersion.toString(),
    clock: clock.toString(),
    resetCount,
    restartCount,
    safe,
    reboots: 0,
    pins: {},
    ima: null,
    ...changes,
  }
}
