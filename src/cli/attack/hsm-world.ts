import { randomInt } from 'node:crypto'
import {
  createEmulatedHsmVendor,
  type EmulatedHsmVendor,
} from '../../../swtpm/emulated/hsm-vendor.ts'
import type { ServiceClient } from '../../attester/service-client.ts'
import { encodeBase64url } from '../../core/bytes/base64url.ts'
import type { HsmToken } from '../../core/formats/hsm/token.ts'
import { createHsmKey, type EmulatedHsmKey } from './hsm-key.ts'
import type { InForce } from './in-force.ts'

/** A token whose attestation key an operator vouches for. */
export interface DeclaredToken {
  readonly token: HsmToken
  readonly attestationKey: EmulatedHsmKey
}

/** Makers and tokens that the kit's operator admits, so that there is something to forge. */
export interface HsmWorld {
  readonly yubiHsm: EmulatedHsmVendor
  readonly yubiKey: EmulatedHsmVendor
  /** One that names a maker of hardware, and one that is SoftHSM by its own word. */
  readonly hardware: DeclaredToken
  readonly software: DeclaredToken
}

/**
 * Admits two throwaway products of an HSM maker and registers the attestation keys of two tokens.
 *
 * @param inForce told of each as it is admitted, so that it is taken back even where the next one is not
 * @throws RemoteError
 */
export async function openHsmWorld(
  operator: ServiceClient,
  name: string,
  now: number,
  inForce: InForce,
): Promise<HsmWorld> {
  const [yubiHsm, yubiKey] = [
    createEmulatedHsmVendor(now, `${name} YubiHSM`),
    createEmulatedHsmVendor(now, `${name} YubiKey`),
  ]
  const serial = String(randomInt(1, 2 ** 31))
  const [hardware, software] = [
    declaredToken({ manufacturer: 'Maker of HSMs', model: 'Box 7', serial }),
    declaredToken({ manufacturer: 'SoftHSM project', model: 'SoftHSM v2', serial }),
  ]
  inForce.addAdmitted(`/v1/anchors/${await admit(operator, name, 'yubihsm2', yubiHsm)}/retire`)
  inForce.addAdmitted(`/v1/anchors/${await admit(operator, name, 'yubikey-piv', yubiKey)}/retire`)
  for (const each of [hardware, software]) {
    await register(operator, name, each)
    inForce.addAdmitted(`/v1/hsm-keys/${each.attestationKey.jkt}/retire`)
  }
  return { yubiHsm, yubiKey, hardware, software }
}

function declaredToken(token: HsmToken): DeclaredToken {
  return { token, attestationKey: createHsmKey(token) }
}

async function admit(
  operator: ServiceClient,
  name: string,
  vendor: string,
  { product }: EmulatedHsmVendor,
): Promise<string> {
  const { fingerprint } = (await operator.call('POST', '/v1/anchors', {
    certificate: encodeBase64url(product.certificate),
    name: `${name}-${vendor}`,
    vendor,
    assurance: 'hsm-attested',
    source: 'attack kit: throwaway maker of HSMs',
  })) as { fingerprint: string }
  return fingerprint
}

async function register(
  operator: ServiceClient,
  name: string,
  { token, attestationKey: { jwk } }: DeclaredToken,
): Promise<void> {
  await operator.call('POST', '/v1/hsm-keys', { name, jwk, token })
}
