import { X509Certificate } from 'node:crypto'
import type { Home } from './home.ts'
import { parsePemChain } from './pem-chain.ts'

/** Part of a certificate's life after which the next one is asked for. */
const renewedAfter = 2 / 3

/**
 * When a certificate of this home is to be renewed, Unix milliseconds: two thirds through its life; at once, which is
 * zero, where nobody who keeps the trust bundle would accept it any more.
 *
 * @param file a certificate chain in PEM, the holder's own first
 * @param roots DER; what the trust bundle says is trusted
 * @throws HomeError `home-malformed`
 */
export async function renewalTime(
  home: Home,
  file: string,
  roots: readonly Uint8Array[],
): Promise<number> {
  const chain = parsePemChain(home.path(file), await home.readText(file))
  const [own, top] = [chain[0], chain.at(-1)]
  if (own === undefined || top === undefined || !isBelow(top, roots)) return 0
  const [from, to] = [Date.parse(own.validFrom), Date.parse(own.validTo)]
  return from + (to - from) * renewedAfter
}

function isBelow(top: X509Certificate, roots: readonly Uint8Array[]): boolean {
  return roots
    .map(der => new X509Certificate(der))
    .some(
      root =>
        root.fingerprint256 === top.fingerprint256 ||
        (top.checkIssued(root) && top.verify(root.publicKey)),
    )
}
