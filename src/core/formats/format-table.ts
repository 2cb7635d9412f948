import { EvidenceFormatError } from './error.ts'
import { hsmAttestedFormat } from './attested/format.ts'
import { hsmDeclaredFormat } from './declared/format.ts'
import { hsmInspectedFormat } from './inspected/format.ts'
import { hostEvidenceFormat } from './hsm/format.ts'
import { tpm2Format } from './tpm2/format.ts'

/** The ways to vouch for a key of an HSM. */
export const hsmFormats = {
  'hsm-attested': hostEvidenceFormat(hsmAttestedFormat),
  'hsm-inspected': hostEvidenceFormat(hsmInspectedFormat),
  'hsm-declared': hostEvidenceFormat(hsmDeclaredFormat),
} as const

export type HsmFormatId = keyof typeof hsmFormats

/** The kinds of hardware that can be attested here. */
export const evidenceFormats = {
  tpm2: tpm2Format,
  ...hsmFormats,
} as const

export type EvidenceFormatId = keyof typeof evidenceFormats

/**
 * The format of a name.
 *
 * @throws EvidenceFormatError `evidence-format-unknown`; nothing is sniffed, and nothing stands in
 */
export function evidenceFormat(id: string): (typeof evidenceFormats)[EvidenceFormatId] {
  if (!isFormatId(id))
    throw new EvidenceFormatError('evidence-format-unknown', {
      expected: Object.keys(evidenceFormats).join(', '),
      found: id.slice(0, 80),
    })
  return evidenceFormats[id]
}

/** Whether a format is one of HSM keys. */
export function isHsmFormatId(id: string): id is HsmFormatId {
  return Object.hasOwn(hsmFormats, id)
}

function isFormatId(id: string): id is EvidenceFormatId {
  return Object.hasOwn(evidenceFormats, id)
}
