import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { DataDirectory } from './data-directory.ts'
import { Pkcs11Signer } from './hsm/pkcs11-signer.ts'
import { timed } from './hsm/timed-signer.ts'
import type { SigningTimes } from './ports/signing-times.ts'
import type { WatchedSigner } from './ports/signer.ts'

/** The audit log's key as a store takes it: PKCS#8 DER, or one in hardware, with `sign` where its token is at hand. */
export type LogKey =
  Uint8Array | { readonly publicKey: Uint8Array; readonly sign?: WatchedSigner['sign'] }

/** The key of a log that has nothing signed by hardware: what waits for a signature waits longer. */
export function logKeyOf({
  config: { keys },
  logKey,
}: Pick<DataDirectory, 'config' | 'logKey'>): LogKey {
  if (keys.log === 'embedded')
    return createPrivateKey(logKey).export({ format: 'der', type: 'pkcs8' })
  return { publicKey: logSpkiOf({ logKey }) }
}

/** DER SubjectPublicKeyInfo. */
export function logSpkiOf({ logKey }: Pick<DataDirectory, 'logKey'>): Uint8Array {
  return new Uint8Array(createPublicKey(logKey).export({ format: 'der', type: 'spki' }))
}

/**
 * The key of a log that is to be signed, and its signer where that is in hardware.
 *
 * @throws Pkcs11Error as `Pkcs11Signer.open`
 */
export async function openLogKey(
  data: Pick<DataDirectory, 'config' | 'logKey'>,
  onChange: (signer: WatchedSigner) => void,
  times: SigningTimes,
): Promise<{ readonly key: LogKey; readonly signers: readonly WatchedSigner[] }> {
  const { log, deadlineMs, sessions } = data.config.keys
  if (log === 'embedded') return { key: logKeyOf(data), signers: [] }
  const publicKey = logSpkiOf(data)
  const how = { deadlineMs, sessions, onChange, publicKey }
  const signer = await Pkcs11Signer.open({ ...how, role: 'log', uri: log })
  const sign = timed(message => signer.sign(message), 'log', times)
  return { key: { publicKey, sign }, signers: [signer] }
}
