import { generateKeyPairSync } from 'node:crypto'
import { encodePem } from '../../src/attester/pem.ts'
import { implicitPrimitive, namedBits, sequence } from '../../src/core/der/writer.ts'
import {
  certificateParts,
  createAuthority,
  distinguishedName,
  oids,
  signCertificate,
} from '../../swtpm/emulated/certificate.ts'
import { purpose } from '../../swtpm/emulated/manufacturer.ts'

/** A server certificate for localhost under an authority of its own, PEM. */
export interface ApiCertificate {
  readonly authority: string
  readonly certificate: string
  readonly key: string
}

/** @param now Unix milliseconds */
export function createApiCertificate(now: number): ApiCertificate {
  const authority = createAuthority('orders authority', now)
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const names = sequence(implicitPrimitive(2, Buffer.from('localhost')))
  const extensions = [
    { oid: oids.subjectAlternativeName, critical: false, value: names },
    { oid: oids.keyUsage, critical: true, value: namedBits(0x80) },
    { oid: oids.extendedKeyUsage, critical: false, value: purpose('1.3.6.1.5.5.7.3.1') },
  ]
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const subject = { subject: distinguishedName('orders'), spki, extensions }
  const leaf = signCertificate(certificateParts(authority, subject, now), authority.privateKey)
  return {
    authority: encodePem('CERTIFICATE', authority.certificate),
    certificate: encodePem('CERTIFICATE', leaf),
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
  }
}
