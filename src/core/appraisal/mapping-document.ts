import type { ClaimMapping } from './ar4si.ts'
import { standingRules, stateClaim } from './lines.ts'
import { ruleTable } from './rule-table.ts'
import { stateRules } from './state-rules.ts'

const head = `# What an EAR of this service claims

Made from the tables that the appraisal itself uses; a test compares. An EAR (draft-ietf-rats-ear-03, profile
\`tag:ietf.org,2026:rats/ear#03\`) has one submodule, named for the
format of the Evidence. Its \`ear_trustworthiness_vector\` holds the values of
draft-ietf-rats-ar4si-06 §3.3; of several lines about one aspect the worst counts. \`ear_status\` is the tier of the worst
line of the verdict. A claim that is not there is not made. Evidence that did not verify claims \`instance-identity\` 99.

| rule | aspect | holds | with reservations | does not hold | stands on |
|---|---|---|---|---|---|
`

/** The published mapping of rules to claims, Markdown. */
export function mappingDocument(): string {
  const standing = Object.entries(standingRules).map(([rule, { claim, source }]) =>
    rowOf(rule, claim, source),
  )
  const state = Object.entries(stateRules).map(([rule, source]) => rowOf(rule, stateClaim, source))
  const kinds = Object.entries(ruleTable).map(([kind, { claim, source }]) =>
    rowOf(`\`${kind}\``, claim, source),
  )
  return `${head}${[...standing, ...state, ...kinds].join('\n')}\n`
}

function rowOf(rule: string, claim: ClaimMapping, source: string): string {
  const value = (number: number | undefined): string => (number === undefined ? '–' : `${number}`)
  const values = [claim.affirming, claim.warning, claim.contraindicated].map(value)
  return `| ${rule} | ${claim.claim} | ${values.join(' | ')} | ${source} |`
}
