import { z } from 'zod'
import { tolerableChecks } from '../core/appraisal/rules/event-log.ts'
import { databaseNames } from '../core/eventlog/secure-boot.ts'
import { names, pcr, rule } from './policy-rule.ts'

const printable = z.string().regex(/^[\u0020-\u007E]+$/, 'printable ASCII')
const word = z.string().regex(/^[\u0021-\u007E]{1,512}$/, 'one word of printable ASCII')
const path = z.string().regex(/^\/[^\0]{0,4095}$/, 'an absolute path')
const section = z.string().regex(/^\.[a-z0-9]{1,7}$/, 'the name of a section such as .linux')
const base64url = z.string().regex(/^[A-Za-z0-9_-]{1,2000}$/, 'base64url without padding')
const keyId = z.string().regex(/^([0-9a-f]{2}){4,64}$/, 'hex')

/** Rules about what was measured: the boot, and what ran since. */
export const bootRules = [
  rule('boot-authority', { accept: names.min(1) }),
  rule('boot-files', { accept: names.min(1) }),
  rule('boot-images', { accept: names.min(1), last: names.min(1).optional() }),
  rule('event-log', {
    explain: z.array(pcr).min(1).max(24).default([0, 1, 2, 3, 4, 5, 6, 7]),
    quirks: z.array(z.enum(['exit-boot-services-missing'])).default([]),
    tolerate: z.array(z.enum(tolerableChecks)).default([]),
  }),
  rule('ima', {
    allowLists: names.default([]),
    accept: names.default([]),
    keys: z
      .array(z.strictObject({ spki: base64url, subjectKeyId: keyId.optional() }))
      .max(100)
      .default([]),
    exclude: z.array(path).max(1000).default([]),
    buffers: z.record(printable.max(256), names.min(1)).default({}),
    maxViolations: z.int().min(0).max(1_000_000).default(0),
    templateHash: z.enum(['bank', 'sha1-padded']).default('bank'),
  }),
  rule('kernel-command-line', {
    allow: z.array(word).max(1000).default([]),
    require: z.array(word).max(100).default([]),
    embedded: names.default([]),
    parameters: names.default([]),
  }),
  rule('secure-boot', {}),
  rule('secure-boot-database', {
    database: z.enum(databaseNames),
    only: names.min(1).optional(),
    require: names.min(1).optional(),
    forbid: names.min(1).optional(),
  }).refine(
    ({ only, require, forbid }) =>
      only !== undefined || require !== undefined || forbid !== undefined,
    'says what is there alone, must be there, or must not',
  ),
  rule('unified-kernel', {
    sections: z
      .record(section, names.min(1))
      .refine(sections => Object.keys(sections).length > 0, 'names at least one section'),
    others: z.enum(['accept', 'refuse']).default('refuse'),
  }),
] as const
