import type { CertificateSigner } from '../../core/issuance/credential.ts'
import type { CeremonyContext } from './context.ts'
import { createStandIn, openCeremonyKey } from './key.ts'
import { requireAbsent, type CeremonyOutput } from './place.ts'
import { isToken, type KeyScript } from './script.ts'

/** The key that a ceremony certifies, or asks a certificate for. */
export interface SubjectKey {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly algorithm: CertificateSigner['algorithm']
  readonly use: <T>(work: (signer: CertificateSigner) => Promise<T>) => Promise<T>
  /** The file of a key that was made. */
  readonly outputs: readonly CeremonyOutput[]
}

/**
 * Opens or makes the key for the time of some work. In a rehearsal one that would be made is stood in for, and its file
 * must not be there.
 */
export async function withSubjectKey<T>(
  script: KeyScript,
  context: CeremonyContext,
  work: (key: SubjectKey) => Promise<T>,
): Promise<T> {
  const { make, place } = script
  if (make !== undefined && !isToken(place)) requireAbsent([context.place(place)])
  const key =
    make !== undefined && context.isCheck
      ? createStandIn(make)
      : await openCeremonyKey(script, context)
  try {
    const { spki, algorithm, output } = key
    const outputs = output === undefined ? [] : [output]
    return await work({ spki, algorithm, outputs, use: async sign => await sign(key) })
  } finally {
    await key.close()
  }
}
