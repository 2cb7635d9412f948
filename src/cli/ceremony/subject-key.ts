import type { CertificateSigner } from '../../core/issuance/credential.ts'
import type { CeremonyContext } from './context.ts'
import { createStandIn, openCeremonyKey } from './key.ts'
import type { CeremonyOutcome } from './outcome.ts'
import type { KeyScript } from './script.ts'

/** The key that a ceremony certifies, or asks a certificate for. */
export interface SubjectKey {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly algorithm: CertificateSigner['algorithm']
  readonly use: <T>(work: (signer: CertificateSigner) => Promise<T>) => Promise<T>
}

/**
 * Opens or makes the key for the time of some work, whose outcome then has the key's file before its own and says how
 * the key is kept. In a rehearsal one that would be made is stood in for.
 */
export async function withSubjectKey(
  script: KeyScript,
  context: CeremonyContext,
  work: (key: SubjectKey) => Promise<CeremonyOutcome>,
): Promise<CeremonyOutcome> {
  const { make } = script
  const key =
    make !== undefined && context.isCheck
      ? createStandIn({ ...script, make }, context)
      : await openCeremonyKey(script, context)
  try {
    const { spki, algorithm, atRest, output } = key
    const { facts, outputs } = await work({ spki, algorithm, use: async sign => await sign(key) })
    const own = output === undefined ? [] : [output]
    return { facts: { ...facts, keyAtRest: atRest }, outputs: [...own, ...outputs] }
  } finally {
    await key.close()
  }
}
