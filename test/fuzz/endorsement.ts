import { verifyEndorsementKey } from '../../src/core/verifier/endorsement-key.ts'
import { evidenceOf } from '../core/ek/fixtures.ts'
import { codeOf } from './coded.ts'

const evidence = evidenceOf()

/** Presents any bytes as the certificate of an endorsement key, and as a certificate that its host sends along. */
export function fuzz(bytes: Uint8Array): string | undefined {
  const chain = [bytes, ...evidence.chain]
  const alone = codeOf(() => verifyEndorsementKey({ ...evidence, certificate: bytes }))
  return codeOf(() => verifyEndorsementKey({ ...evidence, chain })) ?? alone
}
