import { explainBoot, explainIma } from './explain-boot.ts'
import type { AppraisalStatus } from './status.ts'
import type { RuleLine, Verdict, VerdictHsm } from './verdict.ts'

const headlines: Readonly<Record<AppraisalStatus, string>> = {
  affirming: 'The evidence is genuine and the policy affirms what it shows.',
  none: 'The evidence says nothing that the policy could judge.',
  warning: 'The evidence is genuine, and the policy has reservations.',
  contraindicated: 'The host is not to be trusted as it is.',
}

const marks: Readonly<Record<AppraisalStatus, string>> = {
  affirming: 'ok  ',
  none: 'note',
  warning: 'warn',
  contraindicated: 'FAIL',
}

/** A verdict in lines for a person: what came out, why, what was known of the platform, and every line behind it. */
export function explainVerdict(verdict: Verdict): string[] {
  return [
    `${verdict.status}: ${headlines[verdict.status]}`,
    `decided by  ${verdict.rule}`,
    `admitted    ${verdict.accepted ? 'yes' : 'no'}`,
    `assurance   ${verdict.assurance ?? 'none'}`,
    `policy      version ${verdict.policy.version}, ${verdict.policy.id}`,
    `evidence    sha256:${verdict.evidenceSha256}`,
    `appraised   ${verdict.issuedAt}, holds until ${verdict.expiresAt}`,
    ...explainPlatform(verdict),
    '',
    'rules',
    ...explainRules(verdict.rules),
    '',
    'checks',
    ...explainChecks(verdict),
  ]
}

function explainPlatform({ platform, boot, ima, hsm }: Verdict): string[] {
  if (platform === null) return hsm === undefined ? [] : explainHsm(hsm)
  const { vendor, firmwareVersion, resetCount, restartCount, clock, safe, reboots } = platform
  const counters = `resetCount ${resetCount}, restartCount ${restartCount}, clock ${clock} ms`
  return [
    `TPM         ${vendor ?? 'manufacturer not certified'}, firmware ${firmwareVersion}`,
    `            ${counters}${safe ? '' : ', not shut down in order'}, ${reboots} reboots seen`,
    ...explainBoot(boot),
    ...explainIma(ima),
  ]
}

function explainHsm({ manufacturer, model, firmware, properties }: VerdictHsm): string[] {
  const shown = Object.entries(properties).map(([name, value]) => `${name} ${value}`)
  return [
    `HSM         ${manufacturer}, ${model}, firmware ${firmware}`,
    `            ${shown.join(', ') || 'nothing more is shown of the key'}`,
  ]
}

function explainRules(rules: readonly RuleLine[]): string[] {
  if (rules.length === 0) return ['  none: the evidence did not come that far']
  return rules.flatMap(line => [
    `  ${marks[line.outcome]}  ${line.rule}${line.found === undefined ? '' : `: ${line.found}`}`,
    ...(line.outcome === 'affirming' || line.outcome === 'none' ? [] : details(line)),
  ])
}

/** Of Evidence that verified, checks that failed are about the order of a boot: rules decide by them. */
function explainChecks({ checks, platform }: Verdict): string[] {
  // Of an HSM, as of Evidence that did not verify, a check that failed ended the verification.
  const mark = platform === null ? 'FAIL' : 'note'
  const failed = checks.filter(check => check.outcome === 'fail')
  const passed = checks.length - failed.length
  return [
    `  ok    ${passed} of ${checks.length} passed`,
    ...failed.flatMap(check => [`  ${mark}  ${check.code}`, ...details(check)]),
  ]
}

function details(line: {
  readonly expected?: string
  readonly found?: string
  readonly source: string
}): string[] {
  return [
    ...(line.expected === undefined ? [] : [`          expected: ${line.expected}`]),
    ...(line.found === undefined ? [] : [`          found:    ${line.found}`]),
    `          source:   ${line.source}`,
  ]
}
