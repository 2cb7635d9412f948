import { z } from 'zod'
import { isRevocationReason, type RevocationReason } from '../core/status/revocation-reason.ts'

const reasonCode = z.custom<RevocationReason>(
  value => typeof value === 'string' && isRevocationReason(value),
  'unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn or aACompromise',
)

const why = {
  /** Free text, for the log. */
  reason: z.string().min(1).max(200),
  /** RFC 5280 §5.3.1; that of the target's kind where absent. */
  reasonCode: z.string().pipe(reasonCode).optional(),
  /** Says what would fall and changes nothing. */
  dryRun: z.boolean().optional(),
}

/** Why the subject of the address is revoked. */
export const revocationRequest = z.strictObject(why)

/** Why something is taken out of use; nothing falls with it, so there is nothing to try. */
export const retirementRequest = z.strictObject({ reason: why.reason })

export type RevocationRequestBody = z.infer<typeof revocationRequest>

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)
const version = z.string().regex(/^\d{1,5}(\.\d{1,5}){0,3}$/)

/** What to revoke, and why. */
export const revocationActRequest = z.strictObject({
  ...why,
  target: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.enum(['host', 'agent', 'operator', 'endorsement']), id }),
    z.strictObject({ kind: z.literal('class'), name: z.string().min(1).max(64) }),
    z.strictObject({
      kind: z.literal('anchor'),
      fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
    }),
    z.strictObject({
      kind: z.literal('firmware'),
      /** A TCG vendor id, or a vendor of HSMs as anchors name it: yubihsm2. */
      vendor: z.string().regex(/^(id:[0-9A-F]{8}|[a-z][a-z0-9-]{0,39})$/),
      /** Dotted words, both inclusive; `to` holds everything that begins with it (7.61 holds 7.61.2). */
      from: version,
      to: version,
    }),
    z.strictObject({
      kind: z.literal('certificate'),
      serial: z.string().regex(/^[0-9a-f]{2,40}$/),
    }),
  ]),
})

export type RevocationActRequestBody = z.infer<typeof revocationActRequest>
