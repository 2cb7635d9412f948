import type { ClaimMapping } from './ar4si.ts'
import { recorded, type Finding } from './finding.ts'
import { appraiseBootAuthority, type BootAuthorityRule } from './rules/boot-authority.ts'
import { appraiseBootFiles, type BootFilesRule } from './rules/boot-files.ts'
import { appraiseBootImages, type BootImagesRule } from './rules/boot-images.ts'
import { appraiseEndorsement, type EndorsementRule } from './rules/endorsement.ts'
import { appraiseEventLog, type EventLogRule } from './rules/event-log.ts'
import { appraiseEvidenceAge, type EvidenceAgeRule } from './rules/evidence-age.ts'
import {
  appraiseFirmwareAdvisories,
  type FirmwareAdvisoriesRule,
} from './rules/firmware-advisories.ts'
import {
  appraiseHsmFirmwareMinimum,
  type HsmFirmwareMinimumRule,
} from './rules/hsm-firmware-minimum.ts'
import { appraiseHsmInventory, type HsmInventoryRule } from './rules/hsm-inventory.ts'
import { appraiseHsmKey, type HsmKeyRule } from './rules/hsm-key.ts'
import { appraiseIma, imaPcr, type ImaRule } from './rules/ima.ts'
import {
  appraiseKernelCommandLine,
  commandLinePcrs,
  type KernelCommandLineRule,
} from './rules/kernel-command-line.ts'
import { appraisePcrValues, isDigest, type PcrValuesRule } from './rules/pcr-values.ts'
import {
  appraiseSecureBootDatabase,
  type SecureBootDatabaseRule,
} from './rules/secure-boot-database.ts'
import { appraiseSecureBoot, type SecureBootRule } from './rules/secure-boot.ts'
import {
  appraiseTpmFirmwareMinimum,
  type TpmFirmwareMinimumRule,
} from './rules/tpm-firmware-minimum.ts'
import { appraiseTrustOnFirstUse, type TrustOnFirstUseRule } from './rules/trust-on-first-use.ts'
import { appraiseUnifiedKernel, type UnifiedKernelRule } from './rules/unified-kernel.ts'
import type { AppraisalSubject, HsmSubject } from './subject.ts'

/** One rule of an Appraisal Policy, told apart by its kind. */
export type Rule =
  | BootAuthorityRule
  | BootFilesRule
  | BootImagesRule
  | EndorsementRule
  | EventLogRule
  | EvidenceAgeRule
  | FirmwareAdvisoriesRule
  | HsmFirmwareMinimumRule
  | HsmInventoryRule
  | HsmKeyRule
  | ImaRule
  | KernelCommandLineRule
  | PcrValuesRule
  | SecureBootDatabaseRule
  | SecureBootRule
  | TpmFirmwareMinimumRule
  | TrustOnFirstUseRule
  | UnifiedKernelRule

export type RuleKind = Rule['kind']

/** A log that a host sends beside its quote. */
export type RuleNeed = 'event-log' | 'ima-log'

/** What the table says of one kind of rule. */
export interface RuleRow<R extends Rule> {
  /** Of a host with a TPM; absent for a rule that says nothing of one. */
  readonly appraise?: (rule: R, subject: AppraisalSubject) => Finding
  /** Of a host with an HSM; absent for a rule about what a TPM alone shows. */
  readonly appraiseHsm?: (rule: R, subject: HsmSubject) => Finding
  /** On what the rule stands. */
  readonly source: string
  /** What its outcome claims in an EAR. */
  readonly claim: ClaimMapping
  /** PCRs without which it can never hold. */
  readonly pcrs?: (rule: R) => readonly number[]
  /** The log without which it can never hold. */
  readonly needs?: RuleNeed
  /** Names of reference values that it uses. */
  readonly references?: (rule: R) => readonly string[]
  /** Whether a policy has it once at most: it also says how the Evidence is verified. */
  readonly isSingle?: true
}

const profile = 'TCG PC Client Platform Firmware Profile r1.05'

/** How each kind of rule is held against Evidence. A kind without a row cannot be evaluated, and so is refused. */
export const ruleTable: { readonly [K in RuleKind]: RuleRow<Extract<Rule, { kind: K }>> } = {
  'boot-authority': {
    appraise: appraiseBootAuthority,
    needs: 'event-log',
    source: `${profile} §3.3.4.8 PCR[7]; verification L13`,
    claim: { claim: 'executables', affirming: 3, contraindicated: 96 },
    pcrs: () => [7],
    references: rule => rule.accept,
  },
  'boot-files': {
    appraise: appraiseBootFiles,
    needs: 'event-log',
    source: 'GRUB 2.12 §19.6 Measuring boot components; verification L1',
    claim: { claim: 'executables', affirming: 3, contraindicated: 96 },
    pcrs: () => [9],
    references: rule => rule.accept,
  },
  'boot-images': {
    appraise: appraiseBootImages,
    needs: 'event-log',
    source: `${profile} §3.3.4.5 PCR[4]; RFC 9334 §8.3; verification L1, L8`,
    claim: { claim: 'executables', affirming: 3, contraindicated: 96 },
    pcrs: () => [4],
    references: ({ accept, last = [] }) => [...accept, ...last],
  },
  endorsement: {
    appraise: appraiseEndorsement,
    appraiseHsm: appraiseEndorsement,
    source: 'RFC 9334 §8.2; verification E1, VT4',
    claim: { claim: 'instance-identity', affirming: 2, contraindicated: 97 },
  },
  'event-log': {
    appraise: appraiseEventLog,
    needs: 'event-log',
    source: `${profile} §3.3.4 PCR usage; verification L1, L6 to L10`,
    claim: { claim: 'executables', contraindicated: 96 },
    pcrs: rule => rule.explain,
    isSingle: true,
  },
  'evidence-age': {
    appraise: appraiseEvidenceAge,
    appraiseHsm: appraiseEvidenceAge,
    source: 'RFC 9334 §10; verification X2',
    claim: { claim: 'instance-identity', affirming: 2, contraindicated: 96 },
  },
  'firmware-advisories': {
    appraise: appraiseFirmwareAdvisories,
    source: 'verification Q9, X4',
    claim: { claim: 'hardware', affirming: 2, warning: 32, contraindicated: 96 },
  },
  'hsm-firmware-minimum': {
    appraiseHsm: appraiseHsmFirmwareMinimum,
    source: 'PKCS #11 v3.0 §3.2 firmwareVersion; verification X4, section 15',
    claim: { claim: 'hardware', affirming: 2, contraindicated: 96 },
  },
  'hsm-inventory': {
    appraiseHsm: appraiseHsmInventory,
    source: 'verification H5',
    claim: { claim: 'instance-identity', affirming: 2, contraindicated: 97 },
  },
  'hsm-key': {
    appraiseHsm: appraiseHsmKey,
    source: 'PKCS #11 v3.0 §4.4, §4.9; verification section 14, section 15',
    claim: { claim: 'hardware', affirming: 2, contraindicated: 96 },
  },
  ima: {
    appraise: appraiseIma,
    needs: 'ima-log',
    source: 'Linux Documentation/security/IMA-templates.rst; verification I3, I7',
    claim: { claim: 'executables', affirming: 2, contraindicated: 96 },
    pcrs: () => [imaPcr],
    references: ({ accept, buffers }) => [...accept, ...Object.values(buffers).flat()],
    isSingle: true,
  },
  'kernel-command-line': {
    appraise: appraiseKernelCommandLine,
    needs: 'event-log',
    source: 'GRUB 2.12 §19.6; systemd docs/TPM2_PCR_MEASUREMENTS.md; verification L1',
    claim: { claim: 'configuration', affirming: 2, contraindicated: 96 },
    pcrs: () => commandLinePcrs,
    references: ({ embedded, parameters }) => [...embedded, ...parameters],
  },
  'pcr-values': {
    appraise: appraisePcrValues,
    source: 'RFC 9334 §8.3; verification Q3, Q4',
    claim: { claim: 'executables', affirming: 3, contraindicated: 96 },
    pcrs: ({ values }) => Object.keys(values).map(Number),
    references: ({ values }) =>
      Object.values(values)
        .flat()
        .filter(value => !isDigest(value)),
  },
  'secure-boot': {
    appraise: appraiseSecureBoot,
    needs: 'event-log',
    source: `${profile} §3.3.4.8 PCR[7]; verification L8`,
    claim: { claim: 'configuration', affirming: 2, contraindicated: 96 },
    pcrs: () => [7],
  },
  'secure-boot-database': {
    appraise: appraiseSecureBootDatabase,
    needs: 'event-log',
    source: 'UEFI 2.10 §32.4.1 EFI_SIGNATURE_LIST; verification L13',
    claim: { claim: 'configuration', affirming: 2, contraindicated: 96 },
    pcrs: () => [7],
    references: ({ only = [], require = [], forbid = [] }) => [...only, ...require, ...forbid],
  },
  'tpm-firmware-minimum': {
    appraise: appraiseTpmFirmwareMinimum,
    source: 'TPM 2.0 Part 2 r01.59 §10.12.12 firmwareVersion; verification Q9',
    claim: { claim: 'hardware', affirming: 2, contraindicated: 96 },
  },
  'trust-on-first-use': {
    appraise: appraiseTrustOnFirstUse,
    source: 'verification X2',
    claim: { claim: 'executables', warning: 33, contraindicated: 96 },
    pcrs: ({ pcrs }) => pcrs,
  },
  'unified-kernel': {
    appraise: appraiseUnifiedKernel,
    needs: 'event-log',
    source: 'UAPI.5 Unified Kernel Image; systemd docs/TPM2_PCR_MEASUREMENTS.md',
    claim: { claim: 'executables', affirming: 3, contraindicated: 96 },
    pcrs: () => [11],
    references: ({ sections }) => Object.values(sections).flat(),
  },
}

/** Whether a name is a kind of rule. */
export function isRuleKind(kind: string): kind is RuleKind {
  return Object.hasOwn(ruleTable, kind)
}

/** What becomes of a rule that says nothing of this kind of hardware. */
export const notJudged: Finding = recorded(
  'not judged: this rule is not about this kind of hardware',
)

/** Holds one rule against a host with a TPM; {@link notJudged} for a rule that says nothing of one. */
export function appraiseRule(rule: Rule, subject: AppraisalSubject): Finding {
  return rowOf(rule).appraise?.(rule, subject) ?? notJudged
}

/** Holds one rule against a host with an HSM; {@link notJudged} for a rule about what a TPM alone shows. */
export function appraiseHsmRule(rule: Rule, subject: HsmSubject): Finding {
  return rowOf(rule).appraiseHsm?.(rule, subject) ?? notJudged
}

/** The row of a rule's kind. */
export function rowOf(rule: Rule): RuleRow<Rule> {
  return ruleTable[rule.kind] as RuleRow<Rule>
}
