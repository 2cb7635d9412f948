import { decodeBase64url, encodeBase64url } from '../../bytes/base64url.ts'
import { encodeCanonicalJson } from '../../log/canonical-json.ts'
import { evidenceRecord, requireRecord } from '../envelope.ts'
import type { EvidenceFormat, EvidenceRecords } from '../evidence-format.ts'
import type { HsmToken } from './token.ts'

/** What a host with an HSM asked its challenge for. Untrusted: what is verified must name the same token. */
export interface HsmClaim {
  /** Name of the vendor's module of `hsm-attested`; empty in the other formats. */
  readonly vendor: string
  readonly token: HsmToken
}

/** Everything that speaks for a key of an HSM, in any of its formats. Bytes, untrusted. */
export interface HsmEvidence extends HsmClaim {
  /** What vouches for the key: a certificate (DER), a statement (JWS), or what the service inspected (JSON). */
  readonly statement: Uint8Array
  /** Certificates above that of the key, DER; empty but in `hsm-attested`. */
  readonly chain: readonly Uint8Array[]
  /** PKCS#10, DER. */
  readonly csr: Uint8Array
  /** Signature by the key itself over `hsmProofMessage`, r ‖ s. */
  readonly proof: Uint8Array
}

/** The record of a format of HSM keys, written and read. */
export type HsmRecord = Pick<
  EvidenceFormat<HsmEvidence, unknown>,
  'id' | 'mediaType' | 'encode' | 'parse'
>

/** How Evidence of an HSM format is kept: one record, in canonical JSON. */
export function hsmRecord(id: string): HsmRecord {
  const mediaType = `application/vnd.assay.${id}+json`
  return {
    id,
    mediaType,
    encode: evidence => new Map([[id, evidenceRecord(mediaType, encodeHsmEvidence(evidence))]]),
    parse: records => parseHsmEvidence(records, id, mediaType),
  }
}

function encodeHsmEvidence(evidence: HsmEvidence): Uint8Array {
  const { vendor, token, statement, chain, csr, proof } = evidence
  const record = {
    vendor,
    token: { manufacturer: token.manufacturer, model: token.model, serial: token.serial },
    statement: encodeBase64url(statement),
    chain: chain.map(encodeBase64url),
    csr: encodeBase64url(csr),
    proof: encodeBase64url(proof),
  }
  return Buffer.from(encodeCanonicalJson(record))
}

/** As {@link encodeHsmEvidence} wrote it; anything else fails in decoding or in the comparison after it. */
interface Written {
  readonly vendor: string
  readonly token: HsmToken
  readonly statement: string
  readonly chain: string[]
  readonly csr: string
  readonly proof: string
}

function parseHsmEvidence(records: EvidenceRecords, id: string, mediaType: string): HsmEvidence {
  const bytes = requireRecord(records, id, mediaType)
  const { vendor, token, ...written } = JSON.parse(Buffer.from(bytes).toString()) as Written
  return {
    vendor,
    token: { manufacturer: token.manufacturer, model: token.model, serial: token.serial },
    statement: decodeBase64url(written.statement),
    chain: written.chain.map(decodeBase64url),
    csr: decodeBase64url(written.csr),
    proof: decodeBase64url(written.proof),
  }
}
