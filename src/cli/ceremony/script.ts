import { z } from 'zod'
import { CeremonyError } from '../../core/ceremony/error.ts'
import { authorityCurves } from '../../core/issuance/authority-profile.ts'
import { parseUniqueJson } from '../../core/json/unique-members.ts'
import { isTrustDomain } from '../../core/spiffe/spiffe-id.ts'
import { revocationReasons, type RevocationReason } from '../../core/status/revocation-reason.ts'
import { isPkcs11KeyUri } from '../../hsm/pkcs11-uri.ts'

/** Files are named relative to the folder of the ceremony file. */
const path = z
  .string()
  .min(1)
  .max(4096)
  .refine(text => !text.includes('\0') && !text.startsWith('pkcs11:'), 'a path')

/** To the second and in UTC, since that is what certificates and lists hold. Unix milliseconds. */
const time = z
  .string()
  .refine(isTime, 'a time such as 2026-12-01T00:00:00Z')
  .transform(text => Date.parse(text))

function isTime(text: string): boolean {
  const ms = Date.parse(text)
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text.replace(/Z$/, '.000Z')
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 digest is 64 lower-case hex digits')
const trustDomain = z.string().refine(isTrustDomain, 'a SPIFFE trust domain')
const subject = z
  .string()
  .min(1)
  .max(64)
  .refine(text => !/\p{Cc}|\p{Bidi_Control}/u.test(text), 'a name that can be read')
/** RFC 1123 §2.1. */
const hostName = z
  .string()
  .max(253)
  .regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)

/** A private key: a file (PKCS#8 PEM), or a `pkcs11:` URI; `make` says that it is made in the ceremony. */
const key = z
  .strictObject({
    place: z.union([z.string().refine(isPkcs11KeyUri), path], {
      error: 'a path, or a pkcs11: URI with module-path that holds no PIN',
    }),
    make: z.enum(authorityCurves).optional(),
    /** File of one line, mode 0600: the key file is encrypted under it. */
    passphraseFile: path.optional(),
  })
  .refine(({ place, passphraseFile }) => passphraseFile === undefined || !isToken(place), {
    path: ['passphraseFile'],
    message: 'a key in a token has a PIN, which pin-source names',
  })
const existingKey = key.refine(({ make }) => make === undefined, {
  path: ['make'],
  message: 'the key of an issuer is there already',
})

/** PEM: the issuer's certificate first, by its digest (DER), then those above it, each signed by the next. */
const issuer = z.strictObject({ certificate: path, sha256, key: existingKey })

const validity = { notBefore: time, notAfter: time }
const isSpan = ({ notBefore, notAfter }: { notBefore: number; notAfter: number }): boolean =>
  notBefore < notAfter
const spanError = { path: ['notAfter'], message: 'after notBefore' }

const below = {
  trustDomain,
  issuer,
  ...validity,
  pathLength: z.int().min(0).max(3),
  permitted: z
    .strictObject({
      uriHosts: z.array(hostName).min(1).max(64).optional(),
      dnsNames: z.array(hostName).min(1).max(64).optional(),
    })
    .refine(({ uriHosts, dnsNames }) => uriHosts !== undefined || dnsNames !== undefined, {
      message: 'names of one kind or both',
    })
    .optional(),
  crlUrl: z
    .url({ protocol: /^https?$/ })
    .max(1024)
    .optional(),
  certificate: path,
  chain: path.optional(),
}

const root = z
  .strictObject({
    ceremony: z.literal('root'),
    trustDomain,
    subject,
    key,
    ...validity,
    pathLength: z.int().min(0).max(3),
    certificate: path,
  })
  .refine(isSpan, spanError)

const request = z.strictObject({ ceremony: z.literal('request'), subject, key, request: path })

const intermediate = z
  .strictObject({
    ceremony: z.literal('intermediate'),
    subject,
    /** One of both: a request from where the key lives, by the digest of its key (SPKI), or the key itself. */
    request: z.strictObject({ file: path, keySha256: sha256 }).optional(),
    key: key.optional(),
    ...below,
  })
  .refine(isSpan, spanError)
  .refine(one => (one.request === undefined) !== (one.key === undefined), {
    path: ['request'],
    message: 'request or key, and one of them alone',
  })

const crossCertificate = z
  .strictObject({
    ceremony: z.literal('cross-certificate'),
    /** The certificate that the other authority has already, by its digest (DER). */
    certified: z.strictObject({ file: path, sha256 }),
    ...below,
  })
  .refine(isSpan, spanError)

/** CA/Browser Forum BR 2.0.1 §4.9.7: the list of an authority that certifies authorities, twelve months. */
const longestListMs = 366 * 86_400_000

const revoked = z
  .strictObject({
    /** One of both: the certificate, or its serial number in hex. */
    certificate: path.optional(),
    serial: z
      .string()
      .regex(/^(?!00)([0-9a-f]{2}){1,20}$/)
      .optional(),
    revokedAt: time,
    reason: z.enum(Object.keys(revocationReasons) as [RevocationReason, ...RevocationReason[]]),
  })
  .refine(one => (one.certificate === undefined) !== (one.serial === undefined), {
    path: ['serial'],
    message: 'certificate or serial, and one of them alone',
  })

const crl = z
  .strictObject({
    ceremony: z.literal('crl'),
    issuer,
    number: z.int().min(1),
    thisUpdate: time,
    nextUpdate: time,
    revoked: z.array(revoked).max(10_000),
    /** The list before this one; null for the first. */
    previous: path.nullable(),
    list: path,
  })
  .refine(
    ({ thisUpdate, nextUpdate }) =>
      nextUpdate > thisUpdate && nextUpdate - thisUpdate <= longestListMs,
    { path: ['nextUpdate'], message: 'after thisUpdate, by a year at most' },
  )

const schemas = { root, request, intermediate, 'cross-certificate': crossCertificate, crl } as const

export type RootScript = z.infer<typeof root>
export type RequestScript = z.infer<typeof request>
export type IntermediateScript = z.infer<typeof intermediate>
export type CrossScript = z.infer<typeof crossCertificate>
export type CrlScript = z.infer<typeof crl>
export type KeyScript = z.infer<typeof key>
export type IssuerScript = z.infer<typeof issuer>

/** What is done in a ceremony, as the reviewed file says it. */
export type CeremonyScript =
  RootScript | RequestScript | IntermediateScript | CrossScript | CrlScript

/** Whether a key lives in a PKCS#11 token. */
export function isToken(place: string): boolean {
  return place.startsWith('pkcs11:')
}

/**
 * Reads a ceremony file (JSON). Strict: a member that is missing, unknown, there twice or of another form is refused.
 *
 * @throws CeremonyError `ceremony-malformed`, naming the member
 * @see RFC 8259 §4
 */
export function parseCeremony(text: string): CeremonyScript {
  const value = parseJson(text)
  const kind = (value as { readonly ceremony?: unknown } | null)?.ceremony
  if (typeof kind !== 'string' || !Object.hasOwn(schemas, kind))
    throw new CeremonyError('ceremony-malformed', {
      expected: Object.keys(schemas).join(', '),
      found: 'member ceremony',
    })
  const result = schemas[kind as keyof typeof schemas].safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const place = issue?.path.join('.') ?? ''
  throw new CeremonyError('ceremony-malformed', {
    found: `${place === '' ? 'the document' : `member ${place}`}: ${issue?.message}`,
  })
}

function parseJson(text: string): unknown {
  try {
    return parseUniqueJson(text)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new CeremonyError('ceremony-malformed', { found: cause.message.slice(0, 200), cause })
  }
}
