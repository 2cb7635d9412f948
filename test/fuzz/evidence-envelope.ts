import { parseEnvelope } from '../../src/core/formats/envelope.ts'
import { tpm2Format } from '../../src/core/formats/tpm2/format.ts'
import { codeOf } from './coded.ts'

/** Reads any bytes as kept Evidence of a TPM. */
export function fuzz(bytes: Uint8Array): string | undefined {
  return codeOf(() => parseEnvelope(tpm2Format, bytes))
}
