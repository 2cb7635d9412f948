import { z } from 'zod'
import { hsmProperties } from '../core/formats/hsm/verified.ts'
import { rule, version } from './policy-rule.ts'

/** The name of a vendor's attestation, or CK_TOKEN_INFO.manufacturerID. */
const maker = z.string().regex(/^[\x20-\x7E]{1,64}$/, 'printable ASCII, 64 characters at most')
const text = z.string().regex(/^[\x20-\x7E]{1,64}$/, 'printable ASCII, 64 characters at most')

/** The form of rules about HSMs. */
export const hsmRules = [
  rule('hsm-firmware-minimum', {
    vendors: z.record(maker, version),
    others: z.enum(['accept', 'refuse']),
  }),
  rule('hsm-inventory', { serials: z.record(maker, z.array(text).min(1).max(10_000)) }),
  rule('hsm-key', {
    accept: z
      .partialRecord(z.enum(hsmProperties), z.array(text).min(1).max(64))
      .refine(accept => Object.keys(accept).length > 0, 'names at least one property'),
  }),
] as const
