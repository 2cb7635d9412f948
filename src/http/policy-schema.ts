import { z } from 'zod'
import type { PolicyDocument } from '../core/appraisal/policy.ts'
import { assuranceLevels } from '../core/verifier/assurance.ts'
import { bootRules } from './policy-boot-rules.ts'
import { hsmRules } from './policy-hsm-rules.ts'
import { digest, name, pcr, rule, version } from './policy-rule.ts'

const pcrKey = z.string().regex(/^([0-9]|1[0-9]|2[0-3])$/, 'a PCR number')
const vendor = z.string().regex(/^id:[0-9A-F]{8}$/, 'a TCG vendor id such as id:49465800')

/** A digest of a file as lists of allowed files write it: SHA-256 alone, or with the names of type and hash before. */
const fileDigest = z
  .string()
  .regex(
    /^(?:(?:verity:)?(?:sha1|sha224|sha256|sha384|sha512|sha3-256|sha3-384|sha3-512):)?[0-9a-f]{40,128}$/,
    'a digest in lower-case hex, behind its algorithm where that is not SHA-256',
  )

const ruleForms = z.discriminatedUnion('kind', [
  ...bootRules,
  ...hsmRules,
  rule('endorsement', {
    accept: z
      .array(z.enum(['certificate', 'listed', 'approved', 'inspected', 'registered']))
      .min(1),
  }),
  rule('evidence-age', { maxSeconds: z.int().min(1).max(86_400) }),
  rule('firmware-advisories', {
    onMatch: z.enum(['refuse', 'warn']).default('refuse'),
    except: z.array(z.string().min(1).max(60)).max(100).default([]),
  }),
  rule('pcr-values', {
    values: z
      .record(
        pcrKey,
        z
          .array(z.union([digest, name]))
          .min(1)
          .max(1000),
      )
      .refine(values => Object.keys(values).length > 0, 'names at least one PCR'),
  }),
  rule('tpm-firmware-minimum', {
    vendors: z.record(vendor, version),
    others: z.enum(['accept', 'refuse']),
  }),
  rule('trust-on-first-use', { pcrs: z.array(pcr).min(1).max(24) }),
])

const referenceValue = z
  .union(
    [z.strictObject({ digest }), z.strictObject({ digests: z.array(digest).min(1).max(1000) })],
    'digest or digests, each of 64 lower-case hex digits; in quotes where YAML may take it for a number',
  )
  .transform(value => ({ digests: 'digest' in value ? [value.digest] : value.digests }))

const keyProofSeconds = z
  .int()
  .min(60)
  .max(366 * 86_400)

/** An Appraisal Policy as operators write it, JSON or YAML: nothing is implied, and what is not known is refused. */
export const policySchema = z.strictObject({
  name,
  /** Levels that may be admitted; an empty list admits nobody. */
  assurance: z.array(z.enum(assuranceLevels)).max(assuranceLevels.length),
  pcrs: z.strictObject({
    sha256: z
      .array(pcr)
      .min(1)
      .max(24)
      // A quote covers a PCR once: no host could answer another selection.
      .refine(pcrs => new Set(pcrs).size === pcrs.length, 'a PCR is named once'),
  }),
  validitySeconds: z
    .int()
    .min(60)
    .max(7 * 86_400),
  minimumStatus: z.enum(['affirming', 'warning']).default('affirming'),
  /** How old the proof of a key may be that a certificate is renewed for: 30 days of a TPM, 7 of an HSM where absent. */
  keyProof: z
    .strictObject({ tpmMaxSeconds: keyProofSeconds, hsmMaxSeconds: keyProofSeconds })
    .optional(),
  referenceValues: z.record(name, referenceValue).default({}),
  allowLists: z.record(name, z.record(z.string().min(1), z.array(fileDigest).min(1))).default({}),
  /** An empty list admits nobody. */
  rules: z.array(ruleForms).max(200),
})

/** What the schema gives is a policy document. */
export type ParsedPolicy = z.infer<typeof policySchema> & PolicyDocument
