import { decodeBase64url, encodeBase64url } from '../../bytes/base64url.ts'
import { encodeCanonicalJson } from '../../log/canonical-json.ts'
import { evidenceRecord, optionalRecord, requireRecord } from '../envelope.ts'
import type { EvidenceRecords } from '../evidence-format.ts'

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

/** Media type of what the TPM said. */
export const statementType = 'application/vnd.assay.tpm2+json'
const eventLogType = 'application/vnd.assay.tcg-event-log'
const imaLogType = 'application/vnd.assay.ima-log'

/** One record for what the TPM said, and one for each log. */
export function encodeTpmEvidence(evidence: TpmEvidence): EvidenceRecords {
  const { eventLog, imaLog } = evidence
  return new Map([
    ['tpm2', evidenceRecord(statementType, encodeStatement(evidence))],
    ...(eventLog === null ? [] : [['event-log', evidenceRecord(eventLogType, eventLog)] as const]),
    ...(imaLog === null ? [] : [['ima-log', evidenceRecord(imaLogType, imaLog)] as const]),
  ])
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
 * Reads the records back.
 *
 * @throws EvidenceFormatError, SyntaxError and whatever decoding throws; the envelope is where they get their code
 */
export function parseTpmEvidence(records: EvidenceRecords): TpmEvidence {
  const statement = requireRecord(records, 'tpm2', statementType)
  return {
    ...parseStatement(JSON.parse(Buffer.from(statement).toString()) as Statement),
    eventLog: optionalRecord(records, 'event-log', eventLogType),
    imaLog: optionalRecord(records, 'ima-log', imaLogType),
  }
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
