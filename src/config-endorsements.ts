import { z } from 'zod'

const revocationMode = z.enum(['required', 'when-available', 'off'])

/** Names, not addresses: the last label begins with a letter. */
const hostName = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** What issuers of certificates of endorsement keys are asked for, and how much their word counts. */
export const endorsementSettings = z
  .strictObject({
    /**
     * Whether an issuer must have said that no certificate of an endorsement key's path is revoked. `required`: without
     * a fresh word nobody is let in. `when-available`: that there is none stands in the verdict. `off`: nobody's word
     * is looked at, and that stands there. One that is known to be revoked is refused by the first two.
     */
    revocation: revocationMode.default('when-available'),
    /** As `revocation`, by the TCG vendor id of the trust anchor: many makers publish no lists. */
    revocationByVendor: z
      .record(
        z.string().regex(/^id:[0-9A-F]{8}$/, 'a TCG vendor id such as id:494E5443'),
        revocationMode,
      )
      .default({}),
    /** How old an issuer's word may be, whatever it says itself. */
    maxAgeSeconds: z
      .int()
      .min(60)
      .max(366 * 86_400)
      .default(30 * 86_400),
    /** Certificates of endorsement keys whose own time is over, while the path above them holds. */
    expired: z.enum(['refuse', 'tolerate']).default('refuse'),
    /** Where issuers' certificates and lists may be fetched from; nothing is fetched where no host is named. */
    fetch: z
      .strictObject({
        /** Host names, exactly as certificates name them. */
        hosts: z.array(z.string().regex(hostName, 'a host name in lower case')).max(64).default([]),
        timeoutSeconds: z.int().min(1).max(30).default(5),
        maxBytes: z.int().min(1024).max(65_536).default(65_536),
      })
      .prefault({}),
  })
  .prefault({})
