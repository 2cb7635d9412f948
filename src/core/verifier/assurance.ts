/**
 * How strongly hardware stands behind a key. `tpm-declared` is a TPM without EK certificate for which an operator
 * vouches; `hsm-*` differ in who vouches: the vendor's signature, the service's own
 * look at the token, or an operator; `emulated` is software and accepted only where the configuration says that word.
 */
export const assuranceLevels = [
  'tpm-discrete',
  'tpm-firmware',
  'tpm-virtual',
  'tpm-declared',
  'hsm-attested',
  'hsm-inspected',
  'hsm-declared',
  'emulated',
] as const

export type AssuranceLevel = (typeof assuranceLevels)[number]

/**
 * The order by which a relying party sets a floor. Equal ranks are different kinds of the same strength: what a maker's
 * signature vouches for, firmware, what a hypervisor or the service's own look vouches for, an operator's word, software.
 */
const ranks: Readonly<Record<AssuranceLevel, number>> = {
  'tpm-discrete': 4,
  'hsm-attested': 4,
  'tpm-firmware': 3,
  'tpm-virtual': 2,
  'hsm-inspected': 2,
  'tpm-declared': 1,
  'hsm-declared': 1,
  emulated: 0,
}

/** True for a level that stands at least as high as the floor; false for a text that is no level. */
export function isAtLeast(level: string | undefined, floor: AssuranceLevel): boolean {
  const known = assuranceLevels.find(candidate => candidate === level)
  return known !== undefined && ranks[known] >= ranks[floor]
}
