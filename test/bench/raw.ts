import { sign, verify } from 'node:crypto'
import { createTestKey, type TestKey } from '../support/compact-jws.ts'
import { measureMicroseconds } from './cost.ts'
import type { RequestKind } from './requests.ts'

/** One signature to make or to check: the bytes that the service really signs or verifies, by size. */
interface SignedBytes {
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly key: TestKey
}

/** How many ES256 verifications and signatures the protocol itself asks of the service for each answer. */
const operations: Readonly<
  Record<RequestKind, { readonly verified: readonly number[]; readonly signed: number }>
> = {
  // The DPoP proof; the access token. Lengths of the signed octets.
  token: { verified: [470], signed: 700 },
  // The DPoP proof and the client assertion; the access token.
  tokenTwoSignatures: { verified: [470, 330], signed: 700 },
  // A DPoP proof each for challenge and renewal, the certification request, the certification; the TBSCertificate.
  certificate: { verified: [510, 510, 110, 180], signed: 560 },
}

/**
 * CPU microseconds of nothing but the signatures of one answer, by `node:crypto` in its cheapest form (a bare key, a
 * signature in DER, synchronously).
 */
export function measureRawMicroseconds(kind: RequestKind): number {
  const { verified, signed } = operations[kind]
  const toVerify = verified.map(signedBytes)
  const { message, key } = signedBytes(signed)
  return measureMicroseconds(1_000, () => {
    for (const each of toVerify) requireVerified(each)
    sign('sha256', message, key.privateKey)
  })
}

function signedBytes(length: number): SignedBytes {
  const key = createTestKey()
  const message = Buffer.alloc(length, 'x')
  return { message, signature: sign('sha256', message, key.privateKey), key }
}

function requireVerified({ message, signature, key }: SignedBytes): void {
  if (!verify('sha256', message, key.publicKey, signature))
    throw new Error('a signature must verify')
}
