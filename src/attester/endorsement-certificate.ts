import { Tpm2Error, type Tpm } from '../../native/index.ts'
import { endorsementTemplates, type EndorsementTemplate } from '../core/tpm/templates.ts'
import { AttesterError } from './error.ts'
import { splitNvChain, trimNvCertificate } from './nv-certificate.ts'

/** A certificate that the TPM holds for an endorsement key of this template. Untrusted. */
export interface EndorsementCertificate {
  readonly template: EndorsementTemplate
  /** DER. */
  readonly certificate: Uint8Array
}

/** What is found, and in words what was passed over and why. */
export interface EndorsementCertificates {
  /** The best first. */
  readonly certificates: readonly EndorsementCertificate[]
  /** DER, issuer's certificates that the TPM holds: hints for the service. */
  readonly chain: readonly Uint8Array[]
  readonly notes: readonly string[]
}

/** Elliptic curves first: their keys are made in a fraction of the time. */
const preference = ['L-2', 'H-2', 'H-3', 'H-4', 'L-1', 'H-1', 'H-6', 'H-7']

/** FAPI's EK_CERT_CHAIN_MIN and MAX. */
const chainIndices = { first: 0x01c0_0100, last: 0x01c0_01ff }

/**
 * Reads the endorsement certificates out of the TPM's NV memory.
 *
 * @param indices the NV indices that this TPM has
 * @see TCG EK Credential Profile v2.5 §2.2.1
 */
export async function loadEndorsementCertificates(
  tpm: Tpm,
  indices: readonly number[],
): Promise<EndorsementCertificates> {
  const notes: string[] = []
  const certificates: EndorsementCertificate[] = []
  for (const template of orderedTemplates(indices)) {
    const certificate = await noting(notes, template.name, async () => {
      return trimNvCertificate(await tpm.nvRead({ index: template.certificateIndex }))
    })
    if (certificate !== undefined) certificates.push({ template, certificate })
  }
  const chain = await noting(notes, 'chain', async () => await loadChain(tpm, indices))
  return { certificates, chain: chain ?? [], notes }
}

function orderedTemplates(indices: readonly number[]): EndorsementTemplate[] {
  return endorsementTemplates
    .filter(template => indices.includes(template.certificateIndex))
    .toSorted((left, right) => preference.indexOf(left.name) - preference.indexOf(right.name))
}

async function loadChain(tpm: Tpm, indices: readonly number[]): Promise<Uint8Array[]> {
  const { first, last } = chainIndices
  const contents: Uint8Array[] = []
  for (const index of indices.filter(each => each >= first && each <= last)) {
    contents.push(await tpm.nvRead({ index }))
  }
  return splitNvChain(contents)
}

/** What cannot be read of one index does not hide what another holds; the note says what was passed over. */
async function noting<T>(
  notes: string[],
  name: string,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    const reason = reasonOf(error)
    if (reason === undefined) throw error
    notes.push(`${name}: ${reason}`)
    return undefined
  }
}

function reasonOf(error: unknown): string | undefined {
  if (error instanceof AttesterError) return error.found ?? error.message
  // A refusal by the TPM is about this index; any other failure is about the connection.
  return error instanceof Tpm2Error && error.symbol !== undefined ? error.text : undefined
}
