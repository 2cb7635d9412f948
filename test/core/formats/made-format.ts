import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import { evidenceRecord, requireRecord } from '../../../src/core/formats/envelope.ts'
import type { EvidenceFormat } from '../../../src/core/formats/evidence-format.ts'
import { CheckRecorder } from '../../../src/core/verifier/check.ts'

/** What a device of the made format sends: a key, and its signature over the nonce. */
export interface MadeEvidence {
  readonly spki: Uint8Array
  readonly signature: Uint8Array
}

const statementType = 'application/vnd.assay.made'
const signatureType = 'application/vnd.assay.made-signature'

/** A second kind of hardware, as small as one can be: made to show that the interface takes another than a TPM. */
export const madeFormat: EvidenceFormat<MadeEvidence, KeyObject> = {
  id: 'made',
  mediaType: statementType,
  encode: ({ spki, signature }) =>
    new Map([
      ['made', evidenceRecord(statementType, spki)],
      ['signature', evidenceRecord(signatureType, signature)],
    ]),
  parse: records => ({
    spki: requireRecord(records, 'made', statementType),
    signature: requireRecord(records, 'signature', signatureType),
  }),
  verify: ({ spki, signature }, { challenge }) => {
    const checks = new CheckRecorder()
    const key = checks.attempt('subject-public-malformed', spki, () =>
      createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }),
    )
    checks.require(verify('sha256', challenge.nonce, key, signature), 'certify-signature')
    return key
  },
}
