import { createHash } from 'node:crypto'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import { attestationVendorOf } from '../core/formats/attested/vendor-table.ts'
import { statementJwsType, type KeyStatement } from '../core/formats/declared/statement.ts'
import { hsmProofMessage, type HsmContext } from '../core/formats/hsm/binding.ts'
import type { HsmToken } from '../core/formats/hsm/token.ts'
import { encodeHeader, encodeSigningInput } from '../core/jose/jws.ts'
import { CheckRecorder } from '../core/verifier/check.ts'
import { parseCertificate } from '../core/x509/certificate.ts'
import { createCertificationRequest } from './csr.ts'
import { AttesterError } from './error.ts'
import type { TokenKey, Voucher } from './token-key.ts'

/** Evidence about one key of a token, as the service's interface takes it. */
export interface TokenEvidence {
  readonly csr: string
  readonly hsm: {
    readonly statement?: string
    readonly chain: readonly string[]
    readonly proof: string
  }
}

/**
 * The token that a key is of, in the words in which the voucher speaks of it.
 *
 * @throws AttesterError `attestation-incomplete`; EvidenceError where the attestation would be refused
 */
export async function claimedToken(key: TokenKey, voucher: Voucher): Promise<HsmToken> {
  if (voucher.format !== 'hsm-attested') return (await key.describe()).token
  const vendor = attestationVendorOf(voucher.vendor)
  const [own, device] = voucher.certificates
  if (vendor === undefined || own === undefined || device === undefined)
    throw new AttesterError('attestation-incomplete', { found: voucher.vendor })
  const checks = new CheckRecorder()
  const { model, serial } = vendor.verify(checks, parseCertificate(own), parseCertificate(device))
  return { manufacturer: vendor.manufacturer, model, serial }
}

/**
 * Has a key prove itself for a challenge, with what vouches for it.
 *
 * @throws what the keys throw
 * @see RFC 9334 §8.1
 */
export async function collectTokenEvidence(
  key: TokenKey,
  voucher: Voucher,
  context: HsmContext,
): Promise<TokenEvidence> {
  const csr = await createCertificationRequest(key)
  const { statement, chain } = await statementOf(key, voucher, context, csr)
  const proof = await key.sign(hsmProofMessage(context, voucher.format, { csr, statement }))
  return {
    csr: encodeBase64url(csr),
    hsm: {
      ...(statement.length === 0 ? {} : { statement: encodeBase64url(statement) }),
      chain: chain.map(encodeBase64url),
      proof: encodeBase64url(proof),
    },
  }
}

async function statementOf(
  key: TokenKey,
  voucher: Voucher,
  context: HsmContext,
  csr: Uint8Array,
): Promise<{ statement: Uint8Array; chain: readonly Uint8Array[] }> {
  if (voucher.format === 'hsm-inspected') return { statement: new Uint8Array(), chain: [] }
  if (voucher.format === 'hsm-declared')
    return { statement: await declare(key, voucher.attestationKey, context, csr), chain: [] }
  const [statement = new Uint8Array(), ...chain] = voucher.certificates
  return { statement, chain }
}

/** States what the token says of the key, signed by the attestation key beside it. */
async function declare(
  key: TokenKey,
  attestationKey: Extract<Voucher, { format: 'hsm-declared' }>['attestationKey'],
  { audience, purpose, contextId, nonce }: HsmContext,
  csr: Uint8Array,
): Promise<Uint8Array> {
  const statement: KeyStatement = {
    aud: audience,
    purpose,
    context: contextId,
    nonce: encodeBase64url(nonce),
    csrSha256: encodeBase64url(createHash('sha256').update(csr).digest()),
    jkt: key.jkt,
    ...(await key.describe()),
  }
  const { algorithm: alg, jkt: kid } = attestationKey
  const input = encodeSigningInput(encodeHeader({ typ: statementJwsType, alg, kid }), statement)
  const signature = await attestationKey.sign(Buffer.from(input, 'latin1'))
  return Buffer.from(`${input}.${encodeBase64url(signature)}`, 'latin1')
}
