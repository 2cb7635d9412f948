import { z } from 'zod'

/** A SHA-256 digest, hex. */
export const digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'a SHA-256 digest is 64 lower-case hex digits')

/** What policies, rules, reference values and allow-lists are called. */
export const name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9._-]{0,62}$/, 'a letter, then letters, digits, dot, dash, underscore')

/** The number of a PCR. */
export const pcr = z.int().min(0).max(23)

/** A version of firmware. */
export const version = z
  .string()
  .regex(/^\d{1,5}(\.\d{1,5}){0,3}$/, 'a dotted version of at most four numbers')

/** Names of reference values or allow-lists. */
export const names = z.array(name).max(1000)

/** A rule with its id, which is its kind where the author gives none. */
export function rule<K extends string, S extends z.ZodRawShape>(
  kind: K,
  shape: S,
): z.ZodObject<{ kind: z.ZodLiteral<K>; id: z.ZodDefault<z.ZodString> } & S, z.core.$strict> {
  return z.strictObject({ kind: z.literal(kind), id: name.default(kind), ...shape })
}
