import { randomBytes, randomInt } from 'node:crypto'
import {
  distinguishedName,
  oids,
  type CertificateEdit,
} from '../../../swtpm/emulated/certificate.ts'
import {
  createEmulatedHsmVendor,
  yubiHsmExtensions,
  yubiKeyExtensions,
  type EmulatedHsm,
  type YubiHsmAttestation,
  type YubiKeyAttestation,
} from '../../../swtpm/emulated/hsm-vendor.ts'
import type { HsmToken } from '../../core/formats/hsm/token.ts'
import type { AttackCase } from './attack-case.ts'
import { enrollHsm, enrollHsmAgent, type HsmAttempt } from './hsm-flows.ts'
import { createHsmKey, type EmulatedHsmKey } from './hsm-key.ts'
import type { HsmWorld } from './hsm-world.ts'
import type { AttackWorld } from './world.ts'

/** What may be forged of an attestation. */
interface Forgery {
  readonly said?: Partial<YubiHsmAttestation>
  /** By which device; one of the admitted maker where absent. */
  readonly device?: (hsm: HsmWorld, world: AttackWorld) => EmulatedHsm
  readonly edit?: CertificateEdit
  /** Whose key is attested; the host's where absent. */
  readonly attested?: EmulatedHsmKey
  /** Certificates above the key's; the device's where absent. */
  readonly chain?: (device: EmulatedHsm, hsm: HsmWorld) => readonly Uint8Array[]
  readonly attempt?: Partial<HsmAttempt>
}

function yubico(model: string, serial: number): HsmToken {
  return { manufacturer: 'Yubico (www.yubico.com)', model, serial: String(serial) }
}

/** A key of a YubiHSM 2 that nobody has seen before, honest but for what is forged. */
async function attempt(world: AttackWorld, forgery: Forgery = {}): Promise<HsmAttempt> {
  const hsm = await world.hsm()
  const serial = forgery.said?.serial ?? randomInt(1, 2 ** 31)
  const token = yubico('YubiHSM', serial)
  const key = createHsmKey(token)
  const device = forgery.device?.(hsm, world) ?? hsm.yubiHsm.createDevice()
  const { publicKey } = forgery.attested ?? key
  const extensions = yubiHsmExtensions({ ...forgery.said, serial })
  const own = device.attest(publicKey, extensions, 'YubiHSM Attestation', forgery.edit)
  const chain = forgery.chain?.(device, hsm) ?? [device.certificate]
  const voucher = {
    format: 'hsm-attested',
    vendor: 'yubihsm2',
    certificates: [own, ...chain],
  } as const
  return { token, key, voucher, ...forgery.attempt }
}

async function yubiKeyAttempt(
  world: AttackWorld,
  said: Partial<YubiKeyAttestation> = {},
  slot = '9c',
): Promise<HsmAttempt> {
  const { yubiKey } = await world.hsm()
  const serial = randomInt(1, 2 ** 31)
  const token = yubico('YubiKey', serial)
  const key = createHsmKey(token)
  const device = yubiKey.createDevice()
  const extensions = yubiKeyExtensions({ ...said, serial })
  const own = device.attest(key.publicKey, extensions, `YubiKey PIV Attestation ${slot}`)
  const certificates = [own, device.certificate]
  return { token, key, voucher: { format: 'hsm-attested', vendor: 'yubikey-piv', certificates } }
}

const honest: AttackCase['twin'] = async world => await enrollHsm(world, await attempt(world))
const honestYubiKey: AttackCase['twin'] = async world =>
  await enrollHsm(world, await yubiKeyAttempt(world))

const level = { assurance: 'hsm-attested' } as const

function attestationCase(name: string, code: string, forgery: Forgery): AttackCase {
  const attack: AttackCase['attack'] = async world =>
    await enrollHsm(world, await attempt(world, forgery))
  return { name, code, ...level, attack, twin: honest }
}

function yubiKeyCase(
  name: string,
  code: string,
  said: Partial<YubiKeyAttestation>,
  slot?: string,
): AttackCase {
  const attack: AttackCase['attack'] = async world =>
    await enrollHsm(world, await yubiKeyAttempt(world, said, slot))
  return { name, code, ...level, attack, twin: honestYubiKey }
}

/** Answers another challenge than the one that was given. */
const otherChallenge: HsmAttempt['proven'] = context => ({ ...context, nonce: randomBytes(32) })

/** Keys that a maker of HSMs attests: who vouches, for which key of which token, and of what kind it is. */
export const hsmAttestedCases: readonly AttackCase[] = [
  attestationCase('HSM key imported, not made in it', 'hsm-not-local', { said: { origin: 0x02 } }),
  attestationCase('HSM key wrapped in', 'hsm-wrapped', { said: { origin: 0x11 } }),
  attestationCase('HSM key exportable under wrap', 'hsm-extractable', {
    said: { capabilities: 0x1_0080n },
  }),
  attestationCase('HSM key that may derive as well', 'hsm-capabilities', {
    said: { capabilities: 0x880n },
  }),
  attestationCase('HSM on firmware with a known weakness', 'hsm-firmware', {
    said: { firmware: [2, 3, 2] },
  }),
  attestationCase('HSM attested below another root', 'path-issuer', {
    device: (_, { setup }) => createEmulatedHsmVendor(setup.now, 'Forger').createDevice(),
  }),
  attestationCase('HSM attested by another product of its maker', 'path-issuer', {
    device: ({ yubiKey }) => yubiKey.createDevice(),
  }),
  attestationCase('HSM attestation that brings its own authority', 'hsm-chain', {
    chain: (device, { yubiHsm }) => [device.certificate, yubiHsm.product.certificate],
  }),
  attestationCase('HSM attestation signed by another device', 'hsm-certificate-signature', {
    chain: (_, { yubiHsm }) => [yubiHsm.createDevice().certificate],
  }),
  attestationCase('HSM device that is no authority', 'hsm-device', {
    device: ({ yubiHsm }) =>
      yubiHsm.createDevice(parts => ({
        ...parts,
        extensions: parts.extensions.filter(({ oid }) => oid !== oids.basicConstraints),
      })),
  }),
  attestationCase('HSM attestation under another issuer’s name', 'hsm-certificate-signature', {
    edit: parts => ({ ...parts, issuer: distinguishedName('Forger') }),
  }),
  attestationCase('HSM attestation whose time is over', 'hsm-certificate-validity', {
    edit: parts => ({ ...parts, notAfter: parts.notBefore + 1_000 }),
  }),
  attestationCase('HSM attestation of another key', 'csr-key-differs', {
    attested: createHsmKey(yubico('YubiHSM', 1)),
  }),
  attestationCase('HSM attestation with another token’s serial', 'hsm-token-differs', {
    attempt: { token: yubico('YubiHSM', 1) },
  }),
  attestationCase('HSM key that proves itself for another challenge', 'hsm-proof', {
    attempt: { proven: otherChallenge },
  }),
  {
    name: 'HSM answer replayed to a new challenge',
    code: 'hsm-proof',
    ...level,
    attack: async world => {
      const first = await attempt(world)
      const { body } = await enrollHsm(world, first)
      return await enrollHsm(world, { ...first, sent: () => body })
    },
    twin: async world => {
      const first = await attempt(world)
      await enrollHsm(world, first)
      return await enrollHsm(world, first)
    },
  },
  {
    name: 'HSM answer sent twice',
    code: 'challenge-used',
    ...level,
    attack: async world => {
      const { body, enrollmentId } = await enrollHsm(world, await attempt(world))
      const path = `/v1/enrollments/${enrollmentId}/evidence`
      return await world.setup.connect().request('POST', path, body)
    },
    twin: honest,
  },
  {
    name: 'agent key in another HSM than its host’s',
    code: 'hsm-token-differs',
    ...level,
    attack: async world => {
      const { client } = await enrollHsm(world, await attempt(world))
      return await enrollHsmAgent(world, client, await attempt(world))
    },
    twin: async world => {
      const said = { serial: randomInt(1, 2 ** 31) }
      const { client } = await enrollHsm(world, await attempt(world, { said }))
      return await enrollHsmAgent(world, client, await attempt(world, { said }))
    },
  },
  yubiKeyCase('YubiKey that makes keys which can be factored', 'hsm-firmware-roca', {
    firmware: [4, 3, 4],
  }),
  yubiKeyCase('YubiKey on firmware with a known weakness', 'hsm-firmware', {
    firmware: [5, 6, 9],
  }),
  yubiKeyCase('YubiKey key in a slot that is not for signing', 'hsm-slot', {}, '9d'),
]
