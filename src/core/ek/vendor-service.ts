import { createHash } from 'node:crypto'
import type { PublicKey } from '../x509/public-key.ts'

/** A maker of firmware TPMs that hands out certificates of endorsement keys over the network, by the key's digest. */
export interface VendorService {
  readonly vendor: string
  readonly name: string
  /** Where the certificate for this key is; undefined for keys that the maker does not serve. */
  readonly urlFor: (key: PublicKey) => string | undefined
  /** The certificate in an answer; undefined where there is none. What it says is verified like any other. */
  readonly certificateIn: (answer: Uint8Array) => Uint8Array | undefined
}

/** A row a maker. Nothing here fetches anything. Verification E16. */
export const vendorServices: readonly VendorService[] = [
  {
    vendor: 'id:494E5443',
    name: 'Intel EKOP',
    urlFor: intelUrl,
    certificateIn: intelCertificate,
  },
  { vendor: 'id:414D4400', name: 'AMD fTPM', urlFor: amdUrl, certificateIn: answer => answer },
]

/** SHA-256 of modulus and exponent, in base64url with padding, as a path of its own. */
function intelUrl(key: PublicKey): string | undefined {
  if (key.kind !== 'rsa') return undefined
  const digest = createHash('sha256').update(key.modulus).update(key.exponent).digest('base64')
  const name = digest.replaceAll('+', '-').replaceAll('/', '_')
  return `https://ekop.intel.com/ekcertservice/${encodeURIComponent(name)}`
}

/** Upper-case hex of the first half of SHA-256 over 00 00 22 22, the exponent in 32 bits, and the modulus. */
function amdUrl(key: PublicKey): string | undefined {
  if (key.kind !== 'rsa' || key.exponent.length > 4) return undefined
  const exponent = Buffer.concat([Buffer.alloc(4 - key.exponent.length), key.exponent])
  const prefix = Uint8Array.of(0x00, 0x00, 0x22, 0x22)
  const digest = createHash('sha256').update(prefix).update(exponent).update(key.modulus).digest()
  return `https://ftpm.amd.com/pki/aia/${digest.subarray(0, 16).toString('hex').toUpperCase()}`
}

/** The certificate itself, or JSON whose `certificate` is base64url with percent-encoded padding. */
function intelCertificate(answer: Uint8Array): Uint8Array | undefined {
  if (answer[0] === 0x30) return answer
  try {
    const json: unknown = JSON.parse(Buffer.from(answer).toString('utf8'))
    if (typeof json !== 'object' || json === null || !('certificate' in json)) return undefined
    const { certificate } = json
    if (typeof certificate !== 'string') return undefined
    return Buffer.from(decodeURIComponent(certificate), 'base64url')
  } catch {
    return undefined
  }
}
