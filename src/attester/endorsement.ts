import { HandleRange, type Tpm, type TpmHandle } from '../../native/index.ts'
import { FormatError } from '../core/bytes/format-error.ts'
import { parseTpmtPublic, type TpmtPublic } from '../core/tpm/public.ts'
import type { EndorsementTemplate } from '../core/tpm/templates.ts'
import { CheckRecorder } from '../core/verifier/check.ts'
import { verifyEndorsementArea } from '../core/verifier/endorsement-area.ts'
import { EvidenceError } from '../core/verifier/error.ts'
import { parseCertificate } from '../core/x509/certificate.ts'
import { X509Error } from '../core/x509/error.ts'
import type { PublicKey } from '../core/x509/public-key.ts'
import {
  loadEndorsementCertificates,
  type EndorsementCertificate,
} from './endorsement-certificate.ts'
import { loadEndorsementTemplate } from './endorsement-template.ts'
import { AttesterError } from './error.ts'
import { createPrimaryKey } from './primary-key.ts'

/** An endorsement key that the TPM holds, with the certificate for it where there is one. */
export interface Endorsement {
  /** Flushed by the caller; a persistent key costs no slot. */
  readonly handle: TpmHandle
  readonly template: EndorsementTemplate['name']
  readonly area: TpmtPublic
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array
  /** DER; undefined for a key that is only declared. */
  readonly certificate: Uint8Array | undefined
  /** DER, from the TPM's own memory; hints. */
  readonly chain: readonly Uint8Array[]
  /** What was passed over on the way, and why. */
  readonly notes: readonly string[]
}

/** An endorsement key whose certificate the TPM holds. */
export interface CertifiedEndorsement extends Endorsement {
  readonly certificate: Uint8Array
}

/** How the endorsement key is found. */
export interface EndorsementOptions {
  /** The authValue of the endorsement hierarchy, where the TPM's owner has set one. */
  readonly auth?: Uint8Array | undefined
  /** The template to use; the best that has a certificate where absent. */
  readonly template?: EndorsementTemplate['name'] | undefined
}

/** Where persistent endorsement keys lie: TCG TPM v2.0 Provisioning Guidance v1.0 §7.8. */
const persistentRange = { first: 0x8101_0000, last: 0x8101_00ff }

/**
 * Finds the endorsement certificate, and the key that it is for: where the TPM keeps it, or made again from its
 * template. A key that is not the one in the certificate is never used.
 *
 * @throws AttesterError `endorsement-certificate-absent`, `endorsement-key-differs`, `endorsement-authorization`;
 *   Tpm2Error
 * @see TCG EK Credential Profile v2.5 §2.2.1; verification T1
 */
export async function openEndorsement(
  tpm: Tpm,
  { auth, template }: EndorsementOptions = {},
): Promise<CertifiedEndorsement> {
  const indices = await tpm.handles(HandleRange.nvIndex)
  const { certificates, chain, notes } = await loadEndorsementCertificates(tpm, indices)
  const wanted = certificates.filter(
    each => template === undefined || each.template.name === template,
  )
  if (wanted.length === 0) throw refusal('endorsement-certificate-absent', notes)
  const passedOver = [...notes]
  for (const certified of wanted) {
    const key = await openKey(tpm, certified, indices, auth)
    if (typeof key === 'object') {
      return { ...key, certificate: certified.certificate, chain, notes: passedOver }
    }
    passedOver.push(`${certified.template.name}: ${key}`)
  }
  throw refusal('endorsement-key-differs', passedOver)
}

type OpenedKey = Pick<Endorsement, 'handle' | 'template' | 'area' | 'public'>

/** The key of a certificate, or in words why there is none. */
async function openKey(
  tpm: Tpm,
  { template, certificate }: EndorsementCertificate,
  indices: readonly number[],
  auth: Uint8Array | undefined,
): Promise<OpenedKey | string> {
  const certified = publicKeyOf(certificate)
  if (certified === undefined) return 'the certificate cannot be read'
  const kept = await openPersistentKey(tpm, certified)
  if (kept !== undefined) return kept
  const area = await loadEndorsementTemplate(tpm, template, indices)
  const created = await createPrimaryKey(tpm, 'endorsement', area, { auth })
  const key = identify(created.handle, created.public, certified)
  if (key !== undefined) return key
  await tpm.flush(created.handle)
  return 'the key that the TPM makes is another than the one in the certificate, or of no known template'
}

async function openPersistentKey(tpm: Tpm, certified: PublicKey): Promise<OpenedKey | undefined> {
  const { first, last } = persistentRange
  for (const tpmHandle of await tpm.handles(HandleRange.persistent)) {
    if (tpmHandle < first || tpmHandle > last) continue
    const handle = await tpm.openHandle(tpmHandle)
    const key = identify(handle, (await tpm.readPublic(handle)).public, certified)
    if (key !== undefined) return key
    await tpm.flush(handle)
  }
  return undefined
}

/** The opened key where the service will find that it is the certified one and follows a known template. */
function identify(
  handle: TpmHandle,
  bytes: Uint8Array,
  certified: PublicKey,
): OpenedKey | undefined {
  const area = parsePublic(bytes)
  if (area === undefined) return undefined
  try {
    const { name } = verifyEndorsementArea(area, certified, new CheckRecorder())
    return { handle, template: name, area, public: bytes }
  } catch (error) {
    if (error instanceof EvidenceError) return undefined
    throw error
  }
}

function parsePublic(bytes: Uint8Array): TpmtPublic | undefined {
  try {
    return parseTpmtPublic(bytes)
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}

function publicKeyOf(certificate: Uint8Array): PublicKey | undefined {
  try {
    return parseCertificate(certificate).fields.publicKey
  } catch (error) {
    if (error instanceof X509Error) return undefined
    throw error
  }
}

function refusal(
  code: 'endorsement-certificate-absent' | 'endorsement-key-differs',
  notes: readonly string[],
): AttesterError {
  return new AttesterError(code, notes.length === 0 ? {} : { found: notes.join('; ') })
}
