import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { HandleRange, Hierarchy } from '../../native/index.ts'
import type { Tpm, TpmHandle } from '../../native/index.ts'

/** Octets of a hexadecimal text; blanks are for the reader. */
export function octets(hexadecimal: string): Buffer {
  return Buffer.from(hexadecimal.replaceAll(/\s/g, ''), 'hex')
}

/** TPMT_PUBLIC templates, ECC P-256 and SHA-256 throughout: no test waits for an RSA key. */
export const templates = {
  /** Restricted signing key, ECDSA: an attestation key. noDA. */
  attestationKey: octets('0023 000b 00050472 0000 0010 0018 000b 0003 0010 0000 0000'),
  /** Storage parent, AES-128-CFB. noDA. */
  storageParent: octets('0023 000b 00030472 0000 0006 0080 0043 0010 0003 0010 0000 0000'),
  /** Signing key without a scheme of its own. noDA. */
  signingKey: octets('0023 000b 00040472 0000 0010 0010 0003 0010 0000 0000'),
  /** The same, subject to dictionary-attack protection. */
  lockableKey: octets('0023 000b 00040072 0000 0010 0010 0003 0010 0000 0000'),
  /** Sealed data. noDA. */
  sealed: octets('0008 000b 00000452 0000 0010 0000'),
}

/** TPMT_SIG_SCHEME: ECDSA with SHA-256. */
export const ecdsaSha256: Buffer = octets('0018 000b')

/** TPML_PCR_SELECTION of one bank, PCRs by number. */
export function pcrSelection(hash: number, ...pcrs: readonly number[]): Buffer {
  const selection = octets('00000001 0000 03 000000')
  selection.writeUInt16BE(hash, 4)
  for (const pcr of pcrs)
    selection.writeUInt8(selection.readUInt8(7 + (pcr >> 3)) | (1 << (pcr & 7)), 7 + (pcr >> 3))
  return selection
}

/** A primary key from one of {@link templates}. */
export async function primary(
  tpm: Tpm,
  template: Uint8Array,
  hierarchy: number = Hierarchy.owner,
): Promise<TpmHandle> {
  return (await tpm.createPrimary({ hierarchy, public: template })).handle
}

/** How many objects and sessions the TPM holds. */
export async function census(
  tpm: Tpm,
): Promise<{ transient: number; loaded: number; active: number }> {
  return {
    transient: (await tpm.handles(HandleRange.transient)).length,
    loaded: (await tpm.handles(HandleRange.loadedSession)).length,
    active: (await tpm.handles(HandleRange.savedSession)).length,
  }
}

/** Nothing held. */
export const empty: Awaited<ReturnType<typeof census>> = { transient: 0, loaded: 0, active: 0 }

/** TPM2_MakeCredential in software, by tpm2-tools: somebody else's idea of what must activate. */
export async function makeCredential(
  ekPublic: Uint8Array,
  name: Uint8Array,
  secret: Uint8Array,
): Promise<{ credentialBlob: Uint8Array; encryptedSecret: Uint8Array }> {
  const directory = await mkdtemp(join(tmpdir(), 'credential-'))
  try {
    const [key, secretFile, out] = ['ek.pub', 'secret', 'credential'].map(file =>
      join(directory, file),
    ) as [string, string, string]
    await writeFile(key, sized(ekPublic))
    await writeFile(secretFile, secret)
    const hexName = Buffer.from(name).toString('hex')
    await promisify(execFile)('tpm2_makecredential', [
      '-T',
      'none',
      '-u',
      key,
      '-s',
      secretFile,
      '-n',
      hexName,
      '-o',
      out,
    ])
    // UINT32 magic, UINT32 version, TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET
    const file = await readFile(out)
    const blobEnd = 10 + file.readUInt16BE(8)
    return {
      credentialBlob: file.subarray(10, blobEnd),
      encryptedSecret: file.subarray(blobEnd + 2),
    }
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** A TPM2B. */
export function sized(content: Uint8Array): Buffer {
  const size = Buffer.alloc(2)
  size.writeUInt16BE(content.length)
  return Buffer.concat([size, content])
}
