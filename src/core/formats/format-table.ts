import { EvidenceFormatError } from './error.ts'
import { tpm2Format } from './tpm2/format.ts'

/** The kinds of hardware that can be attested here. */
export const evidenceFormats = {
  tpm2: tpm2Format,
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

function isFormatId(id: string): id is EvidenceFormatId {
  return Object.hasOwn(evidenceFormats, id)
}
