import type { Step } from './context.ts'
import { createRequestLimit } from './request-limit.ts'

const takeEnrollment = createRequestLimit(({ attestation }) => attestation.requestsPerMinute)

/**
 * Counts enrolment requests by address: each of them leaves an entry in the log for good, and anybody may send one.
 * Throws HttpError `too-many-requests`.
 */
export const limitEnrollments: Step = async function limitEnrollments(ctx, next) {
  takeEnrollment(ctx)
  await next()
}
