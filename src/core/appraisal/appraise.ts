import type { VerifiedEvidence } from '../verifier/evidence.ts'
import type { AppraisalPolicy } from './appraisal-policy.ts'
import { sealAttestationResult, type AttestationResult } from './attestation-result.ts'
import type { FirmwareAdvisory } from './firmware-advisory.ts'
import { formatFirmwareVersion } from './firmware-version.ts'
import { appraiseLines, type AppraisedLine } from './lines.ts'
import { judgedVerdict } from './judged-verdict.ts'
import type { MeasuredPlatform } from './measured-platform.ts'
import { nextPlatformState, type PlatformState } from './platform-state.ts'
import { pinsAfter } from './rules/trust-on-first-use.ts'
import type { AppraisalSubject, EndorsementKind } from './subject.ts'
import { verdictBoot, verdictIma } from './verdict-boot.ts'
import type { Verdict, VerdictPlatform } from './verdict.ts'

/** What the service knows beside the Evidence. */
export interface AppraisalContext {
  readonly now: Date
  /** What the logs of the host show, verified against the same quote. */
  readonly measured: MeasuredPlatform
  /** Hex SHA-256 of the Evidence as it is kept. */
  readonly evidenceSha256: string
  readonly endorsementKind: EndorsementKind
  /** When the nonce was made. */
  readonly challengedAt: Date
  /** What the attestation before left. */
  readonly before: PlatformState | undefined
  readonly advisories: readonly FirmwareAdvisory[]
  /** Whether the configuration of the service says `emulated`. */
  readonly isEmulationAllowed: boolean
}

/**
 * Holds verified Evidence against a policy. All rules run; the status is never better than the worst line, and a policy
 * that says nothing admits nobody.
 *
 * @throws TypeError for logs that were held against another quote
 * @see RFC 9334 §8.5
 */
export function appraise(
  evidence: VerifiedEvidence,
  policy: AppraisalPolicy,
  context: AppraisalContext,
): AttestationResult {
  if (!context.measured.isOf(evidence)) throw new TypeError('logs of other Evidence')
  const subject = subjectOf(evidence, policy, context)
  const lines = appraiseLines(subject, {
    isEmpty: policy.isEmpty,
    isEmulationAllowed: context.isEmulationAllowed,
  })
  return sealAttestationResult({
    verdict: verdictOf(evidence, policy, context, lines),
    nextState: stateAfter(subject, context.measured),
    rollback: lines.find(({ isRollback }) => isRollback)?.line.rule,
  })
}

function subjectOf(
  evidence: VerifiedEvidence,
  policy: AppraisalPolicy,
  context: AppraisalContext,
): AppraisalSubject {
  const { endorsementKey, attestationKey, facts, pcrs } = evidence
  return {
    now: context.now,
    policy: policy.document,
    platform: { attestationName: hex(attestationKey.name), ...facts },
    pcrs: new Map([...pcrs].map(([pcr, value]) => [pcr, hex(value)])),
    boot: context.measured.boot,
    ima: context.measured.ima,
    endorsement: {
      kind: context.endorsementKind,
      vendor: endorsementKey.vendor,
      assurance: endorsementKey.assurance,
    },
    challengedAt: context.challengedAt,
    before: context.before,
    advisories: context.advisories,
  }
}

function verdictOf(
  evidence: VerifiedEvidence,
  policy: AppraisalPolicy,
  context: AppraisalContext,
  lines: readonly AppraisedLine[],
): Verdict {
  const { boot, ima } = context.measured
  return {
    ...judgedVerdict(policy, context, lines),
    assurance: evidence.endorsementKey.assurance,
    checks: [...evidence.checks, ...context.measured.checks],
    platform: platformOf(evidence, context.before),
    ...(boot === undefined ? {} : { boot: verdictBoot(boot) }),
    ...(ima === undefined ? {} : { ima: verdictIma(ima) }),
  }
}

function stateAfter(subject: AppraisalSubject, { imaState }: MeasuredPlatform): PlatformState {
  const rules = subject.policy.rules.filter(rule => rule.kind === 'trust-on-first-use')
  const pins = pinsAfter(rules, subject)
  return nextPlatformState(subject.before, subject.platform, { pins, ima: imaState })
}

function platformOf(
  { facts, endorsementKey }: VerifiedEvidence,
  before: PlatformState | undefined,
): VerdictPlatform {
  const { clock, resetCount, restartCount, safe } = facts.clockInfo
  const resets = Math.max(0, resetCount - (before?.resetCount ?? resetCount))
  return {
    vendor: endorsementKey.vendor ?? null,
    firmwareVersion: formatFirmwareVersion(facts.firmwareVersion),
    resetCount,
    restartCount,
    clock: clock.toString(),
    safe,
    reboots: (before?.reboots ?? 0) + resets,
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
