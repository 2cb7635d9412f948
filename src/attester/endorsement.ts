import { X509Certificate, type KeyObject } from 'node:crypto'
import { HandleRange, type Tpm, type TpmHandle } from '../../native/index.ts'
import { FormatError } from '../core/bytes/format-error.ts'
import { parseTpmtPublic, type TpmtPublic } from '../core/tpm/public.ts'
import { keyObjectOf } from '../core/tpm/signature.ts'
import { matchEndorsementTemplate, type EndorsementTemplate } from '../core/tpm/templates.ts'
import {
  loadEndorsementCertificates,
  type EndorsementCertificate,
} from './endorsement-certificate.ts'
import { loadEndorsementTemplate } from './endorsement-template.ts'
import { AttesterError } from './error.ts'
import { createPrimaryKey } from './primary-key.ts'

/** An endorsement key that the TPM holds, with the certificate for it. */
export interface Endorsement {
  /** Flushed by the caller; a persistent key costs no slot. */
  readonly handle: TpmHandle
  readonly template: EndorsementTemplate['name']
  readonly area: TpmtPublic
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array
  /** DER. */
  readonly certificate: Uint8Array
  /** DER, from the TPM's own memory; hints. */
  readonly chain: readonly Uint8Array[]
  /** What was passed over on the way, and why. */
  readonly notes: readonly string[]
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
): Promise<Endorsement> {
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
  if (certified === undefined) return 'the key in the certificate is of no supported kind'
  const kept = await openPersistentKey(tpm, certified)
  if (kept !== undefined) return kept
  const area = await loadEndorsementTemplate(tpm, template, indices)
  const created = await createPrimaryKey(tpm, 'endorsement', area, { auth })
  const key = identify(created.handle, created.public, certified)
  if (key !== undefined) return key
  await tpm.flush(created.handle)
  return 'the key that the TPM makes is another than the one in the certificate, or of no known template'
}

async function openPersistentKey(tpm: Tpm, certified: KeyObject): Promise<OpenedKey | undefined> {
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

/** The opened key where it is the certified one and follows a template that services challenge. */
function identify(
  handle: TpmHandle,
  bytes: Uint8Array,
  certified: KeyObject,
): OpenedKey | undefined {
  const area = parsePublic(bytes)
  const template = area === undefined ? undefined : matchEndorsementTemplate(area)
  if (area === undefined || template === undefined) return undefined
  if (keyObjectOf(area)?.equals(certified) !== true) return undefined
  return { handle, template: template.name, area, public: bytes }
}

function parsePublic(bytes: Uint8Array): TpmtPublic | undefined {
  try {
    return parseTpmtPublic(bytes)
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}

function publicKeyOf(certificate: Uint8Array): KeyObject | undefined {
  try {
    return new X509Certificate(certificate).publicKey
  } catch {
    return undefined
  }
}

function refusal(
  code: 'endorsement-certificate-absent' | 'endorsement-key-differs',
  notes: readonly string[],
): AttesterError {
  return new AttesterError(code, notes.length === 0 ? {} : { found: notes.join('; ') })
}
