import { createHash } from 'node:crypto'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import {
  conceptualMessage,
  encodeCmwCollection,
  parseCmwCollection,
  type CmwRecord,
} from '../cmw/cmw.ts'
import { encodeCanonicalJson } from '../log/canonical-json.ts'
import { AppraisalError } from './error.ts'

/** What a host sent, in both halves of its enrolment: all that is needed to verify it once more. Bytes, untrusted. */
export interface TpmEvidence {
  readonly endorsementKey: {
    readonly public: Uint8Array
    readonly certificate: Uint8Array | null
    readonly chain: readonly Uint8Array[]
  }
  readonly attestationKey: { readonly public: Uint8Array }
  readonly activation: Uint8Array
  readonly quote: SignedBytes
  readonly pcrs: { readonly sha256: Readonly<Record<string, string>> }
  readonly subjectKey: {
    readonly public: Uint8Array
    readonly parent: { readonly public: Uint8Array; readonly hierarchy: 'owner' | 'endorsement' }
    readonly certify: SignedBytes
  }
  readonly csr: Uint8Array
  readonly eventLog: Uint8Array | null
  readonly imaLog: Uint8Array | null
}

interface SignedBytes {
  readonly attest: Uint8Array
  readonly signature: Uint8Array
}

/** The kind of collection, and the media types of its records. */
const collectionType = 'tag:assay,2026:tpm2'
const statementType = 'application/vnd.assay.tpm2+json'
const eventLogType = 'application/vnd.assay.tcg-event-log'
const imaLogType = 'application/vnd.assay.ima-log'

/** Evidence as it is kept: a conceptual message wrapper, one record for what the TPM said and one for each log. */
export function encodeKeptEvidence(evidence: TpmEvidence): Uint8Array {
  const records = new Map([['tpm2', recordOf(statementType, encodeStatement(evidence))]])
  if (evidence.eventLog !== null)
    records.set('event-log', recordOf(eventLogType, evidence.eventLog))
  if (evidence.imaLog !== null) records.set('ima-log', recordOf(imaLogType, evidence.imaLog))
  return encodeCmwCollection({ type: collectionType, records })
}

/** Hex SHA-256 of kept Evidence: the name by which verdicts, certificates and tokens refer to it. */
export function keptEvidenceSha256(kept: Uint8Array): string {
  return createHash('sha256').update(kept).digest('hex')
}

function recordOf(type: string, value: Uint8Array): CmwRecord {
  return { type, value, indicator: conceptualMessage.evidence }
}

function encodeStatement(evidence: TpmEvidence): Uint8Array {
  const { endorsementKey, attestationKey, subjectKey, pcrs } = evidence
  const { certificate } = endorsementKey
  const statement = {
    endorsementKey: {
      public: encodeBase64url(endorsementKey.public),
      certificate: certificate === null ? null : encodeBase64url(certificate),
      chain: endorsementKey.chain.map(encodeBase64url),
    },
    attestationKey: { public: encodeBase64url(attestationKey.public) },
    activation: encodeBase64url(evidence.activation),
    quote: encodeSigned(evidence.quote),
    pcrs: { sha256: { ...pcrs.sha256 } },
    subjectKey: {
      public: encodeBase64url(subjectKey.public),
      parent: {
        public: encodeBase64url(subjectKey.parent.public),
        hierarchy: subjectKey.parent.hierarchy,
      },
      certify: encodeSigned(subjectKey.certify),
    },
    csr: encodeBase64url(evidence.csr),
  }
  return Buffer.from(encodeCanonicalJson(statement))
}

function encodeSigned({ attest, signature }: SignedBytes): Record<string, string> {
  return { attest: encodeBase64url(attest), signature: encodeBase64url(signature) }
}

/**
 * Reads kept Evidence back. Its content is as untrusted as it was when it came.
 *
 * @throws AppraisalError `attestation-not-kept` for anything but what {@link encodeKeptEvidence} wrote
 */
export function parseKeptEvidence(kept: Uint8Array): TpmEvidence {
  try {
    const { type, records } = parseCmwCollection(kept)
    if (type !== collectionType) throw new AppraisalError('attestation-not-kept', { found: type })
    const statement = requireRecord(records.get('tpm2'), statementType)
    const evidence = {
      ...parseStatement(JSON.parse(Buffer.from(statement).toString()) as Statement),
      eventLog: optionalRecord(records.get('event-log'), eventLogType),
      imaLog: optionalRecord(records.get('ima-log'), imaLogType),
    }
    if (Buffer.compare(encodeKeptEvidence(evidence), kept) !== 0)
      throw new AppraisalError('attestation-not-kept', { found: 'another form' })
    return evidence
  } catch (cause) {
    throw cause instanceof AppraisalError
      ? cause
      : new AppraisalError('attestation-not-kept', { cause })
  }
}

function requireRecord(record: CmwRecord | undefined, type: string): Uint8Array {
  if (record?.type !== type) throw new AppraisalError('attestation-not-kept', { expected: type })
  return record.value
}

function optionalRecord(record: CmwRecord | undefined, type: string): Uint8Array | null {
  return record === undefined ? null : requireRecord(record, type)
}

interface Signed {
  readonly attest: string
  readonly signature: string
}

/** As {@link encodeStatement} wrote it; anything else fails in decoding or in the comparison after it. */
interface Statement {
  readonly endorsementKey: { public: string; certificate: string | null; chain: string[] }
  readonly attestationKey: { public: string }
  readonly activation: string
  readonly quote: Signed
  readonly pcrs: { sha256: Record<string, string> }
  readonly subjectKey: {
    public: string
    parent: { public: string; hierarchy: 'owner' | 'endorsement' }
    certify: Signed
  }
  readonly csr: string
}

function parseStatement(statement: Statement): Omit<TpmEvidence, 'eventLog' | 'imaLog'> {
  const { endorsementKey, attestationKey, subjectKey, pcrs } = statement
  const { certificate, chain } = endorsementKey
  return {
    endorsementKey: {
      public: decodeBase64url(endorsementKey.public),
      certificate: certificate === null ? null : decodeBase64url(certificate),
      chain: chain.map(decodeBase64url),
    },
    attestationKey: { public: decodeBase64url(attestationKey.public) },
    activation: decodeBase64url(statement.activation),
    quote: parseSigned(statement.quote),
    pcrs: { sha256: { ...pcrs.sha256 } },
    subjectKey: {
      public: decodeBase64url(subjectKey.public),
      parent: {
        public: decodeBase64url(subjectKey.parent.public),
        hierarchy: subjectKey.parent.hierarchy,
      },
      certify: parseSigned(subjectKey.certify),
    },
    csr: decodeBase64url(statement.csr),
  }
}

function parseSigned({ attest, signature }: Signed): SignedBytes {
  return { attest: decodeBase64url(attest), signature: decodeBase64url(signature) }
}
