import type { Inspection } from '../core/formats/inspected/inspection.ts'
import { parsePublicKey } from '../core/x509/public-key.ts'
import type { InspectionRequest, TokenInspector } from '../ports/token-inspector.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import { findPkcs11Key, type Pkcs11Key } from './pkcs11-key.ts'

/**
 * Looks at keys through the service's own PKCS#11 sessions, one token after the other until one has the key.
 *
 * @param tokens URIs of tokens (RFC 7512), each with `pin-source`
 */
export function createTokenInspector(tokens: readonly string[]): TokenInspector {
  return {
    inspect: async request => {
      const outcomes = { absent: false }
      for (const token of tokens) {
        const outcome = await inspectIn(token, request)
        if (typeof outcome !== 'string') return outcome
        if (outcome === 'absent') outcomes.absent = true
      }
      return outcomes.absent ? 'absent' : 'unavailable'
    },
  }
}

async function inspectIn(
  token: string,
  request: InspectionRequest,
): Promise<Inspection | 'absent' | 'unavailable'> {
  try {
    const key = await findPkcs11Key(token, pointOf(request.spki))
    try {
      return await inspectKey(key, request)
    } finally {
      await key.close()
    }
  } catch (cause) {
    if (!(cause instanceof Pkcs11Error)) throw cause
    return cause.code === 'pkcs11-key-absent' ? 'absent' : 'unavailable'
  }
}

async function inspectKey(
  key: Pkcs11Key,
  { spki, serial, message }: InspectionRequest,
): Promise<Inspection | 'absent'> {
  const description = await key.describe()
  if (description.token.serial !== serial) return 'absent'
  return { ...description, spki, signature: await key.sign(message) }
}

/** The uncompressed point of an EC key; of any other key none, which no token has. */
function pointOf(spki: Uint8Array): Uint8Array {
  const { publicKey, keyBits } = parsePublicKey(spki)
  return publicKey.kind === 'ec' ? keyBits : new Uint8Array()
}
