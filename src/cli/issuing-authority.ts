import { readPrivateFile } from '../attester/private-file.ts'
import type { OutsideAuthority } from '../authority-files.ts'
import { encodePlainKey, KeyCipher } from '../hsm/key-cipher.ts'
import { loadPassphraseFile } from '../key-passphrase.ts'
import { readBlocks } from './ceremony/place.ts'
import { UsageError } from './usage-error.ts'

/** What `assay init` is told about an issuing authority that was made elsewhere. */
export interface OutsideOptions {
  readonly issuingCertificate?: string
  readonly issuingKey?: string
  readonly issuingPassphrase?: string
}

/**
 * Reads an issuing authority that a ceremony elsewhere made; undefined where none is named.
 *
 * @throws UsageError `usage-missing`, `usage-contradiction`; CommandError `file-unreadable`; PrivateFileError;
 *   KeyPassphraseError
 */
export async function loadOutsideAuthority({
  issuingCertificate: certificate,
  issuingKey: key,
  issuingPassphrase: passphrase,
}: OutsideOptions): Promise<OutsideAuthority | undefined> {
  const isInToken = key?.startsWith('pkcs11:') === true
  if (passphrase !== undefined && (certificate === undefined || isInToken))
    throw new UsageError('usage-contradiction', {
      expected: '--issuing-passphrase with --issuing-certificate and a key in a file',
    })
  if (certificate === undefined) return undefined
  if (key === undefined || key === 'embedded')
    throw new UsageError('usage-missing', {
      expected: '--issuing-key with the key of --issuing-certificate',
    })
  const chain = await readBlocks(certificate, 'CERTIFICATE')
  return { chain, key: isInToken ? undefined : await readKey(key, passphrase) }
}

async function readKey(path: string, passphrase: string | undefined): Promise<string> {
  const cipher = new KeyCipher(() =>
    passphrase === undefined ? [] : [loadPassphraseFile(passphrase)],
  )
  return encodePlainKey(cipher.open(await readPrivateFile(path), path))
}
