import type { Excerpt, NamedDigest, VerdictBoot, VerdictIma } from './verdict-boot.ts'

/** What a verdict knows of the boot, in lines for a person. */
export function explainBoot(boot: VerdictBoot | undefined): string[] {
  if (boot === undefined) return ['boot        no event log was looked at']
  const lines = [
    secureBootLine(boot),
    ...(boot.firmwareVersion === null ? [] : [`firmware calls itself “${boot.firmwareVersion}”`]),
    ...excerptLines('signed by', boot.authorities, row => `${row.sha256} of ${row.database}`),
    ...excerptLines('started', boot.images, digestLine),
    ...excerptLines('section', boot.sections, digestLine),
    ...excerptLines('file', boot.files, digestLine),
    ...excerptLines('command line', boot.commandLines, text => `“${text}”`),
    ...(boot.hasExitedBootServices ? [] : ['the log does not show that the firmware let go']),
    ...(boot.quirks.length === 0 ? [] : [`deviation of the firmware: ${boot.quirks.join(', ')}`]),
    pcrLine(boot),
  ]
  return lines.map((line, index) => `${index === 0 ? 'boot        ' : '            '}${line}`)
}

/** What a verdict knows of the list of IMA, in lines for a person. */
export function explainIma(ima: VerdictIma | undefined): string[] {
  if (ima === undefined) return []
  const { proven, unproven, refused, violations, bootAggregate } = ima
  const aggregate = bootAggregate === 'verified' ? 'of this boot' : 'of a boot that was not proven'
  return [
    `IMA         ${proven} entries ${aggregate}, ${unproven} after the quote`,
    `            ${refused} refused, ${violations} violations`,
  ]
}

function secureBootLine({ secureBoot, databases }: VerdictBoot): string {
  const state = secureBoot === null ? 'not proven' : secureBoot ? 'on' : 'off'
  const entries = databases.map(({ name, entries: count }) => `${name} ${count}`).join(', ')
  return `Secure Boot ${state}${entries === '' ? '' : `; entries: ${entries}`}`
}

function digestLine({ digest, hint }: NamedDigest): string {
  return hint === null ? digest : `${digest} (said to be ${hint})`
}

function excerptLines<T>(
  what: string,
  { first, total }: Excerpt<T>,
  show: (item: T) => string,
): string[] {
  const more = total - first.length
  return [
    ...first.map(item => `${what} ${show(item)}`),
    ...(more > 0 ? [`${what}: ${more} more`] : []),
  ]
}

function pcrLine({ provenPcrs, unexplainedPcrs }: VerdictBoot): string {
  const open = unexplainedPcrs.length === 0 ? '' : `; open: ${unexplainedPcrs.join(', ')}`
  return `PCRs that the log explains: ${provenPcrs.join(', ')}${open}`
}
