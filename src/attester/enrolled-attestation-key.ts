import type { Tpm, TpmHandle } from '../../native/index.ts'
import { createAttestationKey } from './attestation-key.ts'
import { attestationFiles } from './enroll.ts'
import { AttesterError } from './error.ts'
import type { Home } from './home.ts'
import type { ServiceClient } from './service-client.ts'
import { withSlots } from './slots.ts'

/** The TPM of an enrolled host. */
export interface EnrolledTpm {
  readonly client: ServiceClient
  readonly home: Home
  readonly tpm: Tpm
  /** The authValues that the TPM's owner has set, if any. */
  readonly endorsementAuth?: Uint8Array | undefined
  readonly ownerAuth?: Uint8Array | undefined
}

/**
 * Runs `use` with the attestation key that the service knows of this host, which takes one of three slots.
 *
 * @throws AttesterError `attestation-key-differs`: what this TPM certifies would be refused; Tpm2Error
 */
export async function withEnrolledKey<T>(
  { client, home, tpm, endorsementAuth }: EnrolledTpm,
  use: (attestationKey: TpmHandle) => Promise<T>,
): Promise<T> {
  const enrolledName = (await home.readText(attestationFiles.keyName)).trim()
  const service = { issuer: client.issuer, fingerprint: await client.fingerprint() }
  return await withSlots(tpm, async () => {
    const created = await createAttestationKey(tpm, service, { auth: endorsementAuth })
    return await tpm.withHandle(created.handle, async attestationKey => {
      if (Buffer.from(created.name).toString('hex') !== enrolledName)
        throw new AttesterError('attestation-key-differs')
      return await use(attestationKey)
    })
  })
}
