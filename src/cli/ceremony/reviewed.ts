import { CeremonyError } from '../../core/ceremony/error.ts'
import { sha256Of } from './outcome.ts'

/** Throws CeremonyError `ceremony-differs` for a certificate (DER) that is not the reviewed one, by its digest. */
export function requireReviewed(certificate: Uint8Array, sha256: string): void {
  const found = sha256Of(certificate)
  if (found === sha256) return
  throw new CeremonyError('ceremony-differs', {
    expected: `sha256:${sha256}`,
    found: `sha256:${found}`,
  })
}
