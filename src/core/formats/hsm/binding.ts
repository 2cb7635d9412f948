import { createHash } from 'node:crypto'
import { lengthPrefixed } from '../../bytes/encode.ts'
import type { KeyPurpose } from '../../verifier/transcript.ts'

/** What proofs about one key are bound to. Host and service compute the same from what each of them knows. */
export interface HsmContext {
  /** As `CertifyContext`, likewise `contextId`. */
  readonly purpose: KeyPurpose
  /** The service's issuer URL. */
  readonly audience: string
  readonly contextId: string
  readonly nonce: Uint8Array
}

/** What the key signs so that a certificate or a statement about it is of this challenge; most vendors' have no nonce. */
export function hsmProofMessage(
  context: HsmContext,
  format: string,
  { csr, statement }: { readonly csr: Uint8Array; readonly statement: Uint8Array },
): Uint8Array {
  const fields = ['assay/hsm-proof/v1', format, ...fieldsOf(context), sha256(csr)]
  return lengthPrefixed([...fields, sha256(statement)])
}

/** What the service has the key sign in its own session on the token. */
export function hsmInspectionMessage(context: HsmContext, csr: Uint8Array): Uint8Array {
  return lengthPrefixed(['assay/hsm-inspection/v1', ...fieldsOf(context), sha256(csr)])
}

function fieldsOf({
  purpose,
  audience,
  contextId,
  nonce,
}: HsmContext): readonly (string | Uint8Array)[] {
  return [purpose, audience, contextId, nonce]
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}
