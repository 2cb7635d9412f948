import { requireSuccession, revokedSerial } from '../../core/ceremony/authority-list.ts'
import { CeremonyError } from '../../core/ceremony/error.ts'
import {
  issueCertificateList,
  prepareCertificateList,
} from '../../core/revocation/certificate-list.ts'
import type { RevokedCertificate } from '../../core/revocation/revoked-certificate.ts'
import { listFlaw } from '../../core/x509/revocation-signer.ts'
import { parseCertificateList } from '../../core/x509/crl.ts'
import type { CeremonyContext } from './context.ts'
import { loadIssuer, type CeremonyIssuer } from './issuer.ts'
import { pemOutput, sha256Of, timeOf, type CeremonyOutcome } from './outcome.ts'
import { readBlock } from './place.ts'
import type { CrlScript } from './script.ts'

/** Makes the list of the authorities that an offline one has taken back; of all that it signed. */
export async function holdCrl(
  script: CrlScript,
  context: CeremonyContext,
): Promise<CeremonyOutcome> {
  const { number, thisUpdate, nextUpdate } = script
  const { place, now, issuance, isCheck } = context
  if (nextUpdate <= now) throw new CeremonyError('ceremony-time', { found: timeOf(nextUpdate) })
  const issuer = await loadIssuer(script.issuer, { usage: 'cRLSign' }, context)
  const request = {
    issuer: issuer.certificate.fields.encoded,
    signatureAlgorithm: issuer.algorithm,
    number,
    url: undefined,
    thisUpdate,
    nextUpdate,
    revoked: await loadRevoked(script, issuer, context),
    throwaway: issuance.throwaway,
  }
  if (script.previous !== null) {
    const previous = await readBlock(place(script.previous), 'X509 CRL')
    requireSuccession(previous, request, issuer.certificate)
  }
  const prepared = prepareCertificateList(request)
  const facts = {
    issuerSha256: issuer.certificate.fingerprint,
    number,
    thisUpdate: timeOf(thisUpdate),
    nextUpdate: timeOf(nextUpdate),
    revoked: request.revoked.map(({ serial }) => serial).join(' ') || 'none',
  }
  if (isCheck) return { facts, outputs: [] }
  const list = await issuer.sign(async signer => await issueCertificateList(prepared, signer))
  requireSigned(list, issuer)
  const outputs = [pemOutput(place(script.list), 'X509 CRL', [list])]
  return { facts: { ...facts, listSha256: sha256Of(list) }, outputs }
}

/** Each by its serial number; a certificate in a file must be one that this issuer signed. */
async function loadRevoked(
  { revoked }: CrlScript,
  { certificate: issuer }: CeremonyIssuer,
  { place }: CeremonyContext,
): Promise<RevokedCertificate[]> {
  return await Promise.all(
    revoked.map(async ({ certificate, serial, revokedAt, reason }) => ({
      serial:
        certificate === undefined
          ? positive(serial ?? '')
          : revokedSerial(await readBlock(place(certificate), 'CERTIFICATE'), issuer),
      revokedAt,
      reason,
    })),
  )
}

/** As an INTEGER holds it: people write the number without the octet that makes it positive. */
function positive(serial: string): string {
  return /^[89a-f]/.test(serial) ? `00${serial}` : serial
}

function requireSigned(list: Uint8Array, { certificate }: CeremonyIssuer): void {
  const flaw = listFlaw(parseCertificateList(list), certificate)
  if (flaw !== undefined) throw new CeremonyError('ceremony-differs', { found: flaw })
}
