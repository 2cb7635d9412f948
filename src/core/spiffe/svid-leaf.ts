import { extensionIds } from '../issuance/extension-name.ts'
import { keyPurposes } from '../issuance/key-purpose.ts'
import { keyUsages, type Certificate } from '../x509/certificate.ts'

const authorityBits = keyUsages.keyCertSign | keyUsages.cRLSign

/** The URIs among a certificate's names, of which an X509-SVID has one. X509-SVID §2. */
export function urisOf({ fields }: Certificate): string[] {
  const names = fields.extensions.subjectAlternativeName ?? []
  return names.flatMap(name => (name.kind === 'uri' ? [name.text] : []))
}

/** Whether its key usage is critical, lets the key sign, and issue nothing. X509-SVID §4.3. */
export function hasLeafUsage(certificate: Certificate): boolean {
  const { keyUsage = 0 } = certificate.fields.extensions
  const isGood = (keyUsage & keyUsages.digitalSignature) !== 0 && (keyUsage & authorityBits) === 0
  return isGood && certificate.isCritical(extensionIds.keyUsage)
}

/** Whether it names no purposes, or those of both servers and clients. X509-SVID §4.4. */
export function hasLeafPurposes({ fields }: Certificate): boolean {
  const { extendedKeyUsage: found } = fields.extensions
  const wanted = [keyPurposes['serverAuth'], keyPurposes['clientAuth']]
  return found === undefined || wanted.every(id => id !== undefined && found.includes(id))
}
