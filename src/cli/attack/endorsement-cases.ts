import { generateKeyPairSync } from 'node:crypto'
import { createAuthority, oids, type CertificateEdit } from '../../../swtpm/emulated/certificate.ts'
import { createEmulatedManufacturer, purpose } from '../../../swtpm/emulated/manufacturer.ts'
import { booleanTrue, sequence } from '../../core/der/writer.ts'
import type { AttackCase } from './attack-case.ts'
import { enroll } from './flows.ts'
import { rocaModulus } from './roca-modulus.ts'

const honest: AttackCase['twin'] = async world => await enroll(world)
const day = 86_400_000

/** A case in which only the certificate of the endorsement key is forged. */
function certificateCase(name: string, code: string, editCertificate: CertificateEdit): AttackCase {
  const attack: AttackCase['attack'] = async world =>
    await enroll(world, { options: { editCertificate } })
  return { name, code, attack, twin: honest }
}

function replaceExtension(oid: string, value: Uint8Array): CertificateEdit {
  return parts => ({
    ...parts,
    extensions: parts.extensions.map(part => (part.oid === oid ? { ...part, value } : part)),
  })
}

/** The endorsement key: who vouches for it, and for what. */
export const endorsementCases: readonly AttackCase[] = [
  certificateCase('endorsement certificate expired', 'ek-certificate-validity', parts => ({
    ...parts,
    notAfter: parts.notBefore + day,
  })),
  certificateCase(
    'endorsement certificate with CA:TRUE',
    'ek-certificate-authority',
    replaceExtension(oids.basicConstraints, sequence(booleanTrue)),
  ),
  certificateCase(
    'endorsement certificate for TLS clients',
    'ek-extended-key-usage',
    replaceExtension(oids.extendedKeyUsage, purpose('1.3.6.1.5.5.7.3.2')),
  ),
  {
    name: 'endorsement certificate signed by itself',
    code: 'path-issuer',
    attack: async world => {
      const tpm = world.createTpm()
      const { certificate } = createAuthority('self', world.setup.now)
      return await enroll(world, { tpm, request: { certificate, chain: [] } })
    },
    twin: honest,
  },
  {
    name: 'endorsement key of a maker that nobody admitted',
    code: 'path-issuer',
    attack: async world => {
      const manufacturer = createEmulatedManufacturer(world.setup.now)
      return await enroll(world, { options: { manufacturer } })
    },
    twin: honest,
  },
  {
    name: 'public area of another endorsement key than certified',
    code: 'ek-public-differs',
    attack: async world => {
      const endorsementPublic = world.createTpm().endorsementKey.public
      return await enroll(world, { request: { endorsementPublic } })
    },
    twin: honest,
  },
  {
    name: 'endorsement key of RSA with 1024 bits',
    code: 'ek-key-weak',
    attack: async world => {
      const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
      const certificate = world.manufacturer.certify(publicKey)
      return await enroll(world, { request: { certificate } })
    },
    twin: async world => await enroll(world, { options: { endorsement: 'L-1' } }),
  },
  {
    name: 'endorsement key that can be factored (ROCA)',
    code: 'ek-key-roca',
    attack: async world => {
      const certificate = world.manufacturer.certify(rocaModulus())
      return await enroll(world, { request: { certificate } })
    },
    twin: async world => await enroll(world, { options: { endorsement: 'L-1' } }),
  },
]
