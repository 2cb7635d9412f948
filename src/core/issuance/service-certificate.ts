import * as der from '../der/writer.ts'
import {
  commonName,
  serialNumber,
  signCertificate,
  subjectKeyIdentifier,
  type CertificateSigner,
} from './credential.ts'
import { prepareIssuer } from './issuer.ts'
import { extension, fixedExtensions, serviceProfile } from './profile.ts'
import { signatureAlgorithms } from './signature-algorithm.ts'

/** What the service's own TLS certificate is made of. */
export interface ServiceCertificateRequest {
  /** DER of the issuing certificate. */
  readonly issuer: Uint8Array
  /** DER SubjectPublicKeyInfo of the TLS key. */
  readonly spki: Uint8Array
  readonly spiffeId: string
  /** Host names and IP addresses by which callers reach the service. */
  readonly names: readonly string[]
  /** 16 random bytes. */
  readonly serial: Uint8Array
  /** Unix milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
}

/**
 * Makes the service's own certificate, DER: a key of this process and no attested hardware, hence its own way beside
 * the sealed chain.
 *
 * @see RFC 5280 §4.2.1.6, RFC 9525 §6
 */
export async function createServiceCertificate(
  request: ServiceCertificateRequest,
  signer: CertificateSigner,
): Promise<Uint8Array> {
  const issuer = prepareIssuer(request.issuer)
  const names = [
    der.implicitPrimitive(6, Buffer.from(request.spiffeId, 'ascii')),
    ...request.names.map(encodeName),
  ]
  const tbs = der.sequence(
    der.contextConstructed(0, der.smallInteger(2)),
    der.unsignedInteger(serialNumber(request.serial)),
    signatureAlgorithms[signer.algorithm].identifier,
    issuer.name,
    der.sequence(
      der.certificateTime(request.notBefore),
      der.certificateTime(Math.min(request.notAfter, issuer.notAfter)),
    ),
    commonName('Assay'),
    request.spki,
    der.contextConstructed(
      3,
      der.sequence(
        fixedExtensions(serviceProfile),
        subjectKeyIdentifier(request.spki),
        issuer.authorityKeyIdentifier,
        extension('2.5.29.17', false, der.sequence(...names)),
      ),
    ),
  )
  return signCertificate(tbs, signer.algorithm, signer)
}

/** dNSName or iPAddress (RFC 5280 §4.2.1.6). */
function encodeName(name: string): Uint8Array {
  if (/^\d+(\.\d+){3}$/.test(name))
    return der.implicitPrimitive(7, Uint8Array.from(name.split('.').map(Number)))
  if (name.includes(':')) return der.implicitPrimitive(7, encodeIpv6(name))
  return der.implicitPrimitive(2, Buffer.from(name, 'ascii'))
}

function encodeIpv6(address: string): Uint8Array {
  // The zone of a link-local address is this machine's own affair.
  const { hostname } = new URL(`http://[${address.replace(/%.*$/, '')}]`)
  const [head = '', tail = ''] = hostname.slice(1, -1).split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(8 - left.length - right.length).fill('0')
  return Buffer.from(
    [...left, ...zeros, ...right].map(group => group.padStart(4, '0')).join(''),
    'hex',
  )
}
