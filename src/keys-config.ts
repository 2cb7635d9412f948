import { z } from 'zod'
import { isPkcs11TokenUri } from './hsm/pkcs11-place.ts'
import { isPkcs11KeyUri } from './hsm/pkcs11-uri.ts'

/** Where a signing key of the service lives. A PIN has no place here: `pin-source` names its file. */
const keyPlace = z.union([
  z.literal('embedded'),
  z.string().refine(isPkcs11KeyUri, 'embedded, or a pkcs11: URI that holds no PIN'),
])

/** Where the signing keys of a service live, and how tokens of hardware are used. */
export const keysSchema = z.strictObject({
  /** The key of the issuing authority that `assay init` makes; those of later ones are made in the same token. */
  issuing: keyPlace.default('embedded'),
  /** The key that signs tokens. */
  token: keyPlace.default('embedded'),
  /** The key that signs the checkpoints of the audit log, on Ed25519. */
  log: keyPlace.default('embedded'),
  /** A second token, where `assay ca rotate prepare --standby` makes the key of an authority that stands by. */
  standby: z
    .string()
    .refine(isPkcs11TokenUri, 'a pkcs11: URI of a token, without object, id and PIN')
    .optional(),
  /** After how long without its signer the authority that issues is followed by a standby; never where absent. */
  failoverSeconds: z.int().min(1).max(3600).optional(),
  /** How long a token of hardware may take over one signature before its process is replaced. */
  deadlineMs: z.int().min(100).max(60_000).default(900),
  /** Signatures that a token of hardware makes at once. */
  sessions: z.int().min(1).max(16).default(4),
})
