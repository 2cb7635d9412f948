import type { ClientKey } from '../attester/client-key.ts'
import { vendorWordFileOf, type Home } from '../attester/home.ts'
import type { RenewalProver, RenewalSubject } from '../attester/renewal.ts'
import type { ServiceClient } from '../attester/service-client.ts'
import type { TokenKey } from '../attester/token-key.ts'
import { openMachineTpm, type TpmOptions } from './host-machine.ts'
import type { Session } from './session.ts'
import { loadTokenRecord, openVoucher } from './token-machine.ts'

/** Whose certificate is renewed, with the key that is proven again. */
export interface KeyHolder {
  readonly home: Home
  readonly client: ServiceClient
  readonly key: ClientKey
}

/**
 * How the hardware of this machine proves a key again: its TPM certifies it, or what vouches for the keys of its token
 * does so once more.
 *
 * @throws AttesterError `tpm-…`
 */
export async function createRenewalProver(
  session: Session,
  { home, client, key }: KeyHolder,
  { keyFile }: Pick<RenewalSubject, 'keyFile'>,
  options: TpmOptions,
): Promise<RenewalProver> {
  if (isOfToken(key)) return createTokenProver(session, home, key, keyFile)
  const { createTpmProver } = await import('../attester/renewal.ts')
  return createTpmProver({ ...(await openMachineTpm(session, options)), home, client }, keyFile)
}

function isOfToken(key: ClientKey): key is TokenKey {
  return key.protection === 'pkcs11'
}

function createTokenProver(
  session: Session,
  home: Home,
  key: TokenKey,
  keyFile: string,
): RenewalProver {
  return async context => {
    const { collectTokenEvidence } = await import('../attester/token-evidence.ts')
    const uri = (await home.readText(keyFile)).trim()
    const record = await loadTokenRecord(home)
    const attestation = home.path(vendorWordFileOf(keyFile))
    const voucher = await openVoucher(session, uri, record, attestation)
    const { csr, hsm } = await collectTokenEvidence(key, voucher, context)
    return { csr, evidence: { hsm } }
  }
}
