import { generateKeyPairSync } from 'node:crypto'
import { signEcdsa } from '../core/jose/ecdsa.ts'
import type { ThrowawaySigners } from '../core/issuance/assembly.ts'

/**
 * Keys for lint copies, one for each algorithm that authorities sign with: made at the start of the process, kept
 * nowhere, in no certificate. A signature by one of them is of the right form and worth nothing.
 */
export function createThrowawaySigners(): ThrowawaySigners {
  return { ES256: createSigner('P-256', 'sha256', 32), ES384: createSigner('P-384', 'sha384', 48) }
}

function createSigner(
  namedCurve: string,
  hash: string,
  coordinateLength: number,
): (message: Uint8Array) => Uint8Array {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve })
  return message => signEcdsa(hash, message, privateKey, coordinateLength)
}
