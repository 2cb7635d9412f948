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
