import { z } from 'zod'

const reason = z.string().trim().min(1).max(500)

/** Which bundle a host keeps. */
export const adoptionRequest: z.ZodType = z.strictObject({
  sequence: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
})

/** What the next authority is to be. */
export interface PreparationBody {
  readonly kind: 'root' | 'intermediate'
  readonly place: 'issuing' | 'standby'
  readonly reason?: string
}

export const preparationRequest: z.ZodType<PreparationBody> = z.strictObject({
  kind: z.enum(['root', 'intermediate']),
  place: z.enum(['issuing', 'standby']).default('issuing'),
  reason: reason.exactOptional(),
})

/** Whether to wait for the hosts; not to takes a reason. */
export interface ActivationBody {
  readonly force: boolean
  readonly reason?: string
}

export const activationRequest: z.ZodType<ActivationBody> = z
  .strictObject({ force: z.boolean().default(false), reason: reason.exactOptional() })
  .refine(({ force, reason: why }) => !force || why !== undefined, {
    path: ['reason'],
    message: 'force takes a reason',
  })

/** That a key is to be destroyed, whatever is in force below it. */
export const destructionRequest: z.ZodType = z.strictObject({
  force: z.boolean().default(false),
  reason,
})

export const reasonRequest: z.ZodType = z.strictObject({ reason })
