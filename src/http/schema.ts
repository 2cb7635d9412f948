import { z } from 'zod'

/** base64url without padding of at most `bytes` bytes. */
export function base64url(bytes: number): z.ZodString {
  return z
    .string()
    .max(Math.ceil((bytes * 4) / 3))
    .regex(/^[A-Za-z0-9_-]+$/, 'base64url without padding')
}

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, dot, dash, underscore; 63 at most')
const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'an identifier as this service gave it')
const scope = z
  .string()
  .regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/, 'a scope as RFC 6749 §3.3 writes it')
const digest = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits')
const pcrIndex = z.string().regex(/^([0-9]|1[0-9]|2[0-3])$/, 'a PCR number')

/** TPMT_PUBLIC, base64url. */
const tpmPublic = base64url(1024)
const certificate = base64url(8 * 1024)

const certificationRequest = base64url(4096)

/** What a token is for (RFC 8707 §2): compared as a text, so written as URLs are. */
const audience = z
  .url()
  .max(2048)
  .refine(url => /^[\x21-\x7E]+$/.test(url) && !url.includes('#'), {
    message: 'an absolute URL in printable ASCII without fragment',
  })

/** Where a certificate came from, for people: a URL, or a path in a collection. */
export const source: z.ZodString = z
  .string()
  .regex(/^[\x20-\x7E]{1,300}$/, 'printable ASCII, 300 characters at most')

export const anchorRequest = z.strictObject({
  certificate,
  name,
  /** TCG vendor id; of an HSM vendor's authority the product, such as yubihsm2. */
  vendor: z
    .string()
    .regex(
      /^(id:[0-9A-F]{8}|[a-z][a-z0-9-]{0,39})$/,
      'a TCG vendor id such as id:49465800, or a product',
    ),
  assurance: z.enum(['tpm-discrete', 'tpm-firmware', 'tpm-virtual', 'hsm-attested', 'emulated']),
  source: source.default('given by hand'),
})

export const anchorImportRequest = z.strictObject({
  certificates: z.array(anchorRequest).min(1).max(2000),
})

export const anchorApprovalRequest = z.strictObject({
  fingerprints: z.array(digest).min(1).max(2000),
})

export const publicJwk = z.strictObject({
  kty: z.literal('EC'),
  crv: z.enum(['P-256', 'P-384']),
  x: base64url(48),
  y: base64url(48),
})

export const operatorRequest = z.strictObject({
  name,
  role: z.enum(['administrator', 'auditor', 'resource-server']),
  keyProtection: z.enum(['tpm', 'pkcs11', 'file']),
  jwk: publicJwk,
  /** What a relying party speaks for: it may introspect tokens for these alone. */
  audiences: z.array(audience).max(32).default([]),
})

/** A name as CK_TOKEN_INFO has it, without padding. */
const tokenName = z.string().regex(/^[\x20-\x7E]{1,64}$/, 'printable ASCII, 64 characters at most')

export const hsmToken = z.strictObject({
  manufacturer: tokenName,
  model: tokenName,
  serial: tokenName,
})

/** An attestation key of an HSM, as read at the token. */
export const hsmKeyRequest = z.strictObject({ name, jwk: publicJwk, token: hsmToken })

const hsmEnrollmentRequest = z.strictObject({
  name,
  hsm: z.strictObject({
    format: z.enum(['hsm-attested', 'hsm-inspected', 'hsm-declared']),
    /** The product whose attestation it is, such as yubihsm2; for hsm-attested alone. */
    vendor: z
      .string()
      .regex(/^[a-z0-9-]{0,40}$/)
      .default(''),
    token: hsmToken,
  }),
})

const tpmEnrollmentRequest = z.strictObject({
  name,
  endorsementKey: z.strictObject({
    public: tpmPublic,
    /** Absent for a TPM without one: an operator approves its key or has listed it. */
    certificate: certificate.optional(),
    chain: z.array(certificate).max(8).default([]),
  }),
  attestationKey: z.strictObject({ public: tpmPublic }),
})

export const enrollmentRequest = z.union([tpmEnrollmentRequest, hsmEnrollmentRequest])

/** A TPM attestation: TPMS_ATTEST and TPMT_SIGNATURE. */
const attestation = z.strictObject({ attest: base64url(2048), signature: base64url(1024) })

const subjectKey = z.strictObject({
  public: tpmPublic,
  /** The storage key under which the subject key was created. */
  parent: z.strictObject({ public: tpmPublic, hierarchy: z.enum(['owner', 'endorsement']) }),
  certify: attestation,
})

/** What vouches for a key of an HSM, and the key's own proof. */
const hsmKey = z.strictObject({
  /** A certificate of the device (DER), or a statement (JWS); absent where the service looks itself. */
  statement: base64url(16 * 1024).optional(),
  chain: z.array(certificate).max(4).default([]),
  proof: base64url(128),
})

const hsmEvidenceRequest = z.strictObject({ csr: certificationRequest, hsm: hsmKey })

export const tpmEvidenceRequest = z.strictObject({
  activation: base64url(64),
  quote: attestation,
  pcrs: z.strictObject({ sha256: z.record(pcrIndex, digest) }),
  subjectKey,
  csr: certificationRequest,
  /** The firmware's log of this boot (TCG PC Client PFP §10), as the kernel shows it. */
  eventLog: base64url(1024 * 1024).optional(),
  /** The kernel's binary measurement list. */
  imaLog: base64url(4 * 1024 * 1024).optional(),
})

export const evidenceRequest = z.union([tpmEvidenceRequest, hsmEvidenceRequest])

export const agentRequest = z.strictObject({ class: name })

const tpmKeyEvidence = z.strictObject({ challenge: id, subjectKey })
const hsmKeyEvidence = z.strictObject({ challenge: id, hsm: hsmKey })

/** RFC 9773 §4.1. */
const replaces = z.string().max(200).optional()

export const credentialRequest = z.strictObject({
  csr: certificationRequest,
  /** From the host of an agent, for a first or new key. */
  evidence: z.union([tpmKeyEvidence, hsmKeyEvidence]).optional(),
  /** From the host or agent itself, to renew for the key that it has; with the certificate that is replaced. */
  renewal: z
    .union([tpmKeyEvidence.extend({ replaces }), hsmKeyEvidence.extend({ replaces })])
    .optional(),
})

/** Printable ASCII of one word, as identifiers of RFC 9396 and RFC 6749 are. */
const clientName = z.string().regex(/^[\x21-\x7E]{1,512}$/, 'printable ASCII without spaces')
const values = z.array(clientName).min(1).max(64).optional()

/** A type of authorization details, and of each field the values that may be asked for (RFC 9396 §2). */
const detailType = z.strictObject({
  type: clientName,
  locations: values,
  actions: values,
  datatypes: values,
  privileges: values,
  identifiers: values,
})

export const classRequest = z.strictObject({
  name,
  audiences: z.array(audience).min(1).max(32),
  scopes: z.array(scope).max(64),
  hosts: z
    .array(z.union([id, z.literal('*')]))
    .min(1)
    .max(1000),
  tokenLifetimeSeconds: z.int().min(30).max(900).default(300),
  /** Who answers for its agents. */
  owner: z
    .string()
    .regex(/^[\x21-\x7E]{1,128}$/, 'printable ASCII without spaces')
    .optional(),
  environment: name.default('default'),
  /** Of what its agents handle. */
  sensitivity: z.enum(['public', 'internal', 'confidential', 'restricted']).default('internal'),
  authorizationDetails: z
    .array(detailType)
    .max(32)
    .refine(rows => new Set(rows.map(row => row.type)).size === rows.length, 'a type comes once')
    .default([]),
  clientIds: z.array(clientName).max(32).default([]),
})

export { retirementRequest, revocationRequest } from './revocation-schema.ts'

/** What any endpoint takes that authenticates its clients (RFC 7521 §4.2). */
const clientForm = z.object({
  client_id: z.string().optional(),
  client_assertion_type: z.string().optional(),
  client_assertion: z.string().optional(),
})

/** RFC 6749 §4.4.2, RFC 8693 §2.1, RFC 8707 §2, RFC 9396 §5; unknown parameters are passed over (RFC 6749 §3.2). */
export const tokenForm = clientForm.extend({
  grant_type: z.enum(['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange']),
  scope: z.string().optional(),
  resource: z.union([z.string(), z.array(z.string())]).optional(),
  authorization_details: z.string().optional(),
  /** SPIFFE ID of the one agent that may exchange the token, to act for its subject (RFC 8693 §4.4). */
  may_act: z.string().optional(),
  subject_token: z.string().optional(),
  subject_token_type: z.string().optional(),
  actor_token: z.string().optional(),
  actor_token_type: z.string().optional(),
  requested_token_type: z.string().optional(),
  audience: z.string().optional(),
})

/** RFC 7009 §2.1. */
export const revocationForm = clientForm.extend({
  token: z.string(),
  token_type_hint: z.string().optional(),
})

export const jwtSvidRequest = z.strictObject({ audience })

/** `clientId` is the caller's SPIFFE ID where it is left out. */
export const clientAttestationRequest = z.strictObject({ clientId: clientName.optional() })

/** RFC 7662 §2.1. */
export const introspectionForm = z.object({
  token: z.string(),
  token_type_hint: z.string().optional(),
})

export type AnchorRequest = z.infer<typeof anchorRequest>
export type AnchorImportRequest = z.infer<typeof anchorImportRequest>
export type OperatorRequestBody = z.infer<typeof operatorRequest>
export type EnrollmentRequestBody = z.infer<typeof enrollmentRequest>
export type EvidenceRequestBody = z.infer<typeof evidenceRequest>
export type SubjectKeyBody = z.infer<typeof subjectKey>
export type HsmKeyBody = z.infer<typeof hsmKey>
export type HsmKeyRequestBody = z.infer<typeof hsmKeyRequest>
export type HsmEnrollmentBody = z.infer<typeof hsmEnrollmentRequest>
export type TpmEnrollmentBody = z.infer<typeof tpmEnrollmentRequest>
export type CredentialRequestBody = z.infer<typeof credentialRequest>
export type KeyEvidenceBody = NonNullable<CredentialRequestBody['evidence']>
export type ClassRequestBody = z.infer<typeof classRequest>
