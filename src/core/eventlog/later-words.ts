/** Words that systemd measures in a fixed order once the kernel runs (systemd 259 systemd-pcrphase.service(8)). */
const initrdPhases = ['enter-initrd', 'leave-initrd'] as const
const systemPhases = ['sysinit', 'ready', 'shutdown', 'final'] as const

/** PCRs that systemd-pcrosseparator.service closes before the system starts. */
const separatedPcrs: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 14]

/**
 * What a running system may have measured into a PCR after the log of the firmware ended, by fixed words alone: each
 * list of words is one state that the PCR can be in. None of them can hide anything that was measured before.
 *
 * @see systemd docs/TPM2_PCR_MEASUREMENTS.md; verification L15
 */
export function laterWords(pcr: number): readonly (readonly string[])[] {
  if (pcr === 11)
    return [...beginnings([...initrdPhases, ...systemPhases]), ...beginnings(systemPhases)]
  return separatedPcrs.includes(pcr) ? [['os-separator']] : []
}

function beginnings(words: readonly string[]): string[][] {
  return words.map((_, i) => words.slice(0, i + 1))
}
