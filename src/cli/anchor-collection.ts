import { ArchiveReader, libarchiveWasm } from 'libarchive-wasm'
import { decodePemBundle } from '../attester/pem.ts'
import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'
import type { TpmVendor } from './tpm-vendors.ts'

const rows = {
  'collection-unreadable': {
    summary: 'The file is no certificate, no PEM bundle and no cabinet that can be read.',
    hint: 'Give a certificate in DER or PEM, a bundle of them, or the vendor collection TrustedTpm.cab.',
  },
  'collection-too-large': {
    summary: 'The collection holds more than any that is known.',
    hint: 'See that it is the right file; import it in parts if it is.',
  },
  'collection-unlabelled': {
    summary: 'Whose certificates these are cannot be told from the file.',
    hint: 'Name them with --name, --vendor and --assurance.',
  },
} as const satisfies Record<string, ErrorRow>

/** A collection of certificates that cannot be taken in. */
export class CollectionError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}

/** What an operator says of certificates whose folder does not say it. */
export interface GivenLabels {
  readonly name?: string | undefined
  readonly vendor?: string | undefined
  readonly assurance?: string | undefined
}

/** One certificate of a collection, labelled. */
export interface CollectedCertificate {
  readonly name: string
  readonly vendor: string
  readonly assurance: string
  /** File and place in it. */
  readonly source: string
  /** DER, not looked into. */
  readonly certificate: Uint8Array
}

/** What a file held. */
export interface Collection {
  readonly certificates: readonly CollectedCertificate[]
  /** Members that hold no certificate, or none that can be labelled. */
  readonly passedOver: readonly string[]
}

const limits = { members: 5_000, member: 64 * 1024, file: 32 * 1024 * 1024 } as const
const cabinetMark = Buffer.from('MSCF')

/**
 * Reads a file of certificates: one in DER or PEM, a PEM bundle, or a cabinet whose folders name the makers. The archive
 * is read by libarchive in WebAssembly, which has no file system to write to.
 *
 * @param file its name, for the source of each certificate
 * @throws CollectionError
 */
export async function readCollection(
  file: string,
  bytes: Uint8Array,
  given: GivenLabels,
  vendors: readonly TpmVendor[],
): Promise<Collection> {
  if (bytes.length > limits.file)
    throw new CollectionError('collection-too-large', { expected: `${limits.file} bytes at most` })
  if (cabinetMark.equals(bytes.subarray(0, 4))) {
    return labelMembers(file, await readCabinet(bytes), given, vendors)
  }
  const certificates = certificatesOf(bytes)
  if (certificates.length === 0) throw new CollectionError('collection-unreadable', { found: file })
  const labels = requireLabels(given)
  const sourced = certificates.map((certificate, at) => ({
    ...labels,
    source: certificates.length === 1 ? file : `${file}#${at + 1}`,
    certificate,
  }))
  return { certificates: sourced, passedOver: [] }
}

interface Member {
  readonly path: string
  readonly bytes: Uint8Array
}

async function readCabinet(bytes: Uint8Array): Promise<Member[]> {
  const library = await libarchiveWasm()
  let reader: ArchiveReader | undefined
  try {
    reader = new ArchiveReader(library, new Int8Array(bytes))
    return [...readMembers(reader)]
  } catch (cause) {
    if (cause instanceof CollectionError) throw cause
    throw new CollectionError('collection-unreadable', { cause })
  } finally {
    reader?.free()
  }
}

function* readMembers(reader: ArchiveReader): Generator<Member> {
  let count = 0
  for (const entry of reader.entries()) {
    count += 1
    if (count > limits.members)
      throw new CollectionError('collection-too-large', { expected: `${limits.members} members` })
    const path = entry.getPathname().replaceAll('\\', '/')
    if (entry.getSize() > limits.member) yield { path, bytes: new Uint8Array() }
    else yield { path, bytes: Uint8Array.from(Buffer.from(entry.readData() ?? [])) }
  }
}

/** The first folder that is a maker's labels what lies below it; what the operator says counts first. */
function labelMembers(
  file: string,
  members: readonly Member[],
  given: GivenLabels,
  vendors: readonly TpmVendor[],
): Collection {
  const passedOver: string[] = []
  const certificates = members.flatMap(member => {
    const found = certificatesOf(member.bytes)
    const labels = labelsOf(member.path, given, vendors)
    if (found.length > 0 && labels !== undefined) {
      const source = `${file}:${member.path}`
      return found.map(certificate => ({ ...labels, source, certificate }))
    }
    passedOver.push(member.path)
    return []
  })
  if (certificates.length === 0) throw new CollectionError('collection-unlabelled', { found: file })
  return { certificates, passedOver }
}

type Labels = Pick<CollectedCertificate, 'name' | 'vendor' | 'assurance'>

function labelsOf(
  path: string,
  given: GivenLabels,
  vendors: readonly TpmVendor[],
): Labels | undefined {
  const folders = path.split('/').slice(0, -1)
  const vendor = vendors.find(row => row.folders.some(folder => folders.includes(folder)))
  if (vendor === undefined) return undefined
  return {
    name: given.name ?? vendor.name,
    vendor: given.vendor ?? vendor.id,
    assurance: given.assurance ?? vendor.assurance,
  }
}

function requireLabels({ name, vendor, assurance }: GivenLabels): Labels {
  if (name === undefined || vendor === undefined || assurance === undefined)
    throw new CollectionError('collection-unlabelled')
  return { name, vendor, assurance }
}

/** DER begins with a SEQUENCE of two or more length bytes; PEM with its dashes. Anything else holds no certificate. */
function certificatesOf(bytes: Uint8Array): Uint8Array[] {
  if (bytes[0] === 0x30 && (bytes[1] ?? 0) > 0x80) return [bytes]
  const text = Buffer.from(bytes).toString('latin1')
  return text.includes('-----BEGIN')
    ? decodePemBundle(text, ['CERTIFICATE', 'X509 CERTIFICATE'])
    : []
}
