import type { Tpm } from '../../native/index.ts'
import { FormatError } from '../core/bytes/format-error.ts'
import { TPM_ALG } from '../core/tpm/algorithm.ts'
import { encodeTpmtPublic, parseTpmtPublic, type TpmtPublic } from '../core/tpm/public.ts'
import type { EndorsementTemplate } from '../core/tpm/templates.ts'
import { AttesterError } from './error.ts'

const firstHighIndex = 0x01c0_0012

/** Where the makers of a TPM keep what overrides the template of an endorsement key; the high range has no nonce. */
function overrideIndices({ certificateIndex }: EndorsementTemplate): {
  readonly template: number
  readonly nonce: number | undefined
} {
  return certificateIndex < firstHighIndex
    ? { template: certificateIndex + 2, nonce: certificateIndex + 1 }
    : { template: certificateIndex + 1, nonce: undefined }
}

/**
 * The public area to create an endorsement key from: the template of the profile, or the one in the TPM's own NV
 * memory, with the nonce there put into `unique`.
 *
 * @param indices the NV indices that this TPM has
 * @returns TPMT_PUBLIC
 * @throws AttesterError `endorsement-key-differs` when what is stored is no template; Tpm2Error
 * @see TCG EK Credential Profile v2.5 §2.2.1.4, §2.2.1.5, Annex B.3
 */
export async function loadEndorsementTemplate(
  tpm: Tpm,
  template: EndorsementTemplate,
  indices: readonly number[],
): Promise<Uint8Array> {
  const at = overrideIndices(template)
  if (!indices.includes(at.template)) return encodeTpmtPublic(template.public)
  const area = parseTemplate(await tpm.nvRead({ index: at.template }))
  if (at.nonce === undefined || !indices.includes(at.nonce)) return encodeTpmtPublic(area)
  return encodeTpmtPublic(withNonce(area, await tpm.nvRead({ index: at.nonce })))
}

function parseTemplate(content: Uint8Array): TpmtPublic {
  try {
    return parseTpmtPublic(content)
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause
    throw new AttesterError('endorsement-key-differs', {
      expected: 'a public area in the index of the template',
      found: cause.message,
      cause,
    })
  }
}

/**
 * A template with a nonce at the beginning of `unique`, the rest of which is zero: of the modulus, or of x.
 *
 * @throws AttesterError `endorsement-key-differs` when the nonce is longer than that
 * @see TCG EK Credential Profile v2.5 Annex B.3
 */
export function withNonce(area: TpmtPublic, nonce: Uint8Array): TpmtPublic {
  if (area.type === TPM_ALG.RSA) return { ...area, modulus: zeroFilled(nonce, area.keyBits / 8) }
  return { ...area, x: zeroFilled(nonce, 32), y: new Uint8Array(32) }
}

function zeroFilled(nonce: Uint8Array, length: number): Uint8Array {
  if (nonce.length > length) {
    throw new AttesterError('endorsement-key-differs', {
      expected: `a nonce of at most ${length} octets`,
      found: `${nonce.length}`,
    })
  }
  const filled = new Uint8Array(length)
  filled.set(nonce)
  return filled
}
