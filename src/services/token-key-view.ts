import type { TokenKeyRecord } from '../ports/token-key.ts'
import type { Service } from './service.ts'
import { standingOf } from './token-key-standing.ts'
import { tokenVerificationKey } from './token-keys.ts'

/** A key of tokens as the API shows it: where it stands now, and whether its private half is in hardware, not where. */
export function tokenKeyView(
  { tokenKeys, clock }: Pick<Service, 'tokenKeys' | 'clock'>,
  record: TokenKeyRecord,
): Record<string, unknown> {
  const { publicKey, keyReference, ...shown } = record
  return {
    ...shown,
    state: standingOf(record, tokenKeys.records, clock.now()),
    algorithm: tokenVerificationKey(publicKey).algorithm.name,
    place: keyReference.startsWith('pkcs11:') ? 'pkcs11' : 'embedded',
  }
}
