import { verifyIssuer, type CeremonyAuthority } from '../../core/ceremony/authority.ts'
import { CeremonyError } from '../../core/ceremony/error.ts'
import { requireAbove } from '../../core/ceremony/issuer-chain.ts'
import type { Issuer } from './certify.ts'
import type { CeremonyContext } from './context.ts'
import { openCeremonyKey } from './key.ts'
import { sha256Of } from './outcome.ts'
import { readBlocks } from './place.ts'
import { requireReviewed } from './reviewed.ts'
import type { IssuerScript } from './script.ts'

/** The authority that signs in a ceremony. */
export interface CeremonyIssuer extends CeremonyAuthority, Issuer {
  /** DER, its own certificate first, then what its file has above it. */
  readonly chain: readonly Uint8Array[]
}

/**
 * Reads the issuer's certificate, which has to be the reviewed one, and sees what it may sign. Its key is opened when
 * something is to be signed, and only then.
 *
 * @throws CommandError `file-unreadable`; X509Error; CeremonyError `ceremony-differs`, `ceremony-above`,
 *   `ceremony-issuer`, `ceremony-key`
 */
export async function loadIssuer(
  script: IssuerScript,
  wanted: { readonly trustDomain?: string; readonly usage: 'keyCertSign' | 'cRLSign' },
  context: CeremonyContext,
): Promise<CeremonyIssuer> {
  const chain = await readBlocks(context.place(script.certificate), 'CERTIFICATE')
  const [own = new Uint8Array()] = chain
  // Another certificate over the same key may have another name, a longer path or a later end.
  requireReviewed(own, script.sha256)
  requireAbove(chain)
  const authority = verifyIssuer(own, { ...wanted, now: context.now })
  return {
    ...authority,
    chain,
    sign: async work => {
      const key = await openCeremonyKey(script.key, context)
      try {
        requireSame(key.spki, authority.spki)
        return await work(key)
      } finally {
        await key.close()
      }
    },
  }
}

function requireSame(found: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(found, expected) === 0) return
  throw new CeremonyError('ceremony-differs', {
    expected: `the issuer’s key, sha256:${sha256Of(expected)}`,
    found: `sha256:${sha256Of(found)}`,
  })
}
