import { DerReader } from '../core/der/reader.ts'
import { DerError } from '../core/der/error.ts'
import { TAG } from '../core/der/tag.ts'
import { AttesterError } from './error.ts'

/**
 * What stands before a certificate that was stored as a TPM 1.2 stored it, in octets; undefined for the 16-bit size.
 *
 *     TCG_PCCLIENT_STORED_CERT { tag UINT16 = 0x1001, certType UINT8 = 0, certSize UINT16,
 *                                TCG_FULL_CERT { tag UINT16 = 0x1002, cert } }
 *
 * Some makers leave out the inner tag. TCG PC Client Specific Implementation Specification 1.21 §7.4.5.
 */
const headers: readonly (readonly (number | undefined)[])[] = [
  [0x10, 0x01, 0x00, undefined, undefined, 0x10, 0x02],
  [0x10, 0x01, 0x00, undefined, undefined],
]

/**
 * The certificate in the content of an NV index: one header of TPM 1.2 taken off the front, and the padding off the
 * end, which repeats one octet. The service takes exactly one certificate and trims nothing.
 *
 * @returns DER, a view of the input
 * @throws AttesterError `endorsement-certificate-malformed`
 * @see verification E7
 */
export function trimNvCertificate(content: Uint8Array): Uint8Array {
  const stored = content.subarray(headerLength(content))
  const certificate = readCertificate(stored)
  const rest = stored.subarray(certificate.length)
  if (paddingLength(rest) !== rest.length) {
    throw malformed('a certificate and padding', `${rest.length} other bytes behind it`)
  }
  return certificate
}

/**
 * The certificates in the contents of the indices for an endorsement key's chain, joined in the order of the indices:
 * one certificate may lie in several indices, and each may be padded.
 *
 * @returns DER, views of the input
 * @throws AttesterError `endorsement-certificate-malformed`
 * @see TCG EK Credential Profile v2.5 §2.2.1.3; verification E1
 */
export function splitNvChain(contents: readonly Uint8Array[]): Uint8Array[] {
  const certificates: Uint8Array[] = []
  let rest: Uint8Array = Buffer.concat(contents)
  while (rest.length > 0) {
    const certificate = readCertificate(rest)
    certificates.push(certificate)
    rest = rest.subarray(certificate.length)
    rest = rest.subarray(paddingLength(rest))
  }
  return certificates
}

function headerLength(content: Uint8Array): number {
  const header = headers.find(octets =>
    octets.every((octet, at) => octet === undefined || content[at] === octet),
  )
  return header?.length ?? 0
}

function readCertificate(bytes: Uint8Array): Uint8Array {
  try {
    return new DerReader(bytes).encoded(TAG.sequence)
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause
    throw malformed('a certificate', cause.found ?? cause.message, cause)
  }
}

/** How many times the first octet is repeated; 0 where a certificate begins. */
function paddingLength(bytes: Uint8Array): number {
  const [fill] = bytes
  if (fill === undefined || fill === TAG.sequence) return 0
  const end = bytes.findIndex(octet => octet !== fill)
  return end < 0 ? bytes.length : end
}

function malformed(expected: string, found: string, cause?: unknown): AttesterError {
  return new AttesterError('endorsement-certificate-malformed', { expected, found, cause })
}
