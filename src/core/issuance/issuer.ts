import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import * as der from '../der/writer.ts'
import { extension } from './profile.ts'

/** What every certificate below one issuing authority repeats, encoded once. */
export interface PreparedIssuer {
  /** DER Name. */
  readonly name: Uint8Array
  /** DER AuthorityKeyIdentifier extension. */
  readonly authorityKeyIdentifier: Uint8Array
  /** Unix milliseconds after which the authority's own certificate is no good. */
  readonly notAfter: number
}

const prepared = new WeakMap<Uint8Array, PreparedIssuer>()

/** Reads an issuing certificate (DER) once; the same bytes object is answered from memory. */
export function prepareIssuer(certificate: Uint8Array): PreparedIssuer {
  const known = prepared.get(certificate)
  if (known !== undefined) return known
  const parsed = new x509.X509Certificate(Uint8Array.from(certificate))
  const identifier = parsed.getExtension(x509.SubjectKeyIdentifierExtension)
  if (identifier === null) throw new TypeError('an issuing certificate names its key')
  const keyId = der.implicitPrimitive(0, Buffer.from(identifier.keyId, 'hex'))
  const issuer = {
    name: new Uint8Array(parsed.subjectName.toArrayBuffer()),
    authorityKeyIdentifier: extension('2.5.29.35', false, der.sequence(keyId)),
    notAfter: parsed.notAfter.getTime(),
  }
  prepared.set(certificate, issuer)
  return issuer
}
