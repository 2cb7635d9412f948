import type { ClientKey } from '../attester/client-key.ts'
import { createFileKey, openFileKey } from '../attester/file-key.ts'
import { HomeError } from '../attester/home-error.ts'
import type { Home } from '../attester/home.ts'
import { CodedError } from '../core/coded-error.ts'
import { parsePkcs11Uri } from '../hsm/pkcs11-uri.ts'
import type { Session } from './session.ts'
import { UsageError } from './usage-error.ts'

/** Where an operator's key is to be, as `--key` says it. */
export type KeyChoice = 'file' | 'tpm' | `pkcs11:${string}`

/** Lowest level first, in the words that help and output use. */
export const protectionNotes: Readonly<Record<ClientKey['protection'], string>> = {
  file: 'in a file, the lowest level: whoever copies the file is this operator',
  pkcs11: 'in a PKCS#11 token, which it cannot leave',
  tpm: 'in the TPM of this machine, which it cannot leave',
}

const keyFile = 'operator.key.pem'

/**
 * Reads the value of `--key`. It is not given to commander to check, which repeats what it refuses: there may be a PIN
 * in it.
 *
 * @throws UsageError `usage-malformed`
 */
export function parseKeyChoice(text: string): KeyChoice {
  if (text === 'file' || text === 'tpm') return text
  if (!text.startsWith('pkcs11:'))
    throw new UsageError('usage-malformed', { expected: 'file, tpm or a pkcs11: URI as --key' })
  try {
    parsePkcs11Uri(text)
    return text as KeyChoice
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    const wanted = cause.expected === undefined ? cause.hint : `${cause.expected} in the URI`
    throw new UsageError('usage-malformed', { expected: wanted, found: cause.message, cause })
  }
}

/** What an operator's key is made or opened with. */
export interface KeyRequest {
  readonly choice: KeyChoice
  /** Makes the key in the PKCS#11 token; keys in a file or in the TPM are made where there is none. */
  readonly create: boolean
  readonly tcti: string
}

/**
 * The key of the operator that is set up in this home, and the words by which the home remembers it. A key that an
 * attempt before has left is used.
 */
export async function prepareOperatorKey(
  session: Session,
  home: Home,
  { choice, create, tcti }: KeyRequest,
): Promise<{ readonly key: ClientKey; readonly reference: string }> {
  if (create && !choice.startsWith('pkcs11:'))
    throw new UsageError('usage-contradiction', { found: `--create-key and --key ${choice}` })
  const isThere = (await home.readIfThere(keyFile)) !== undefined
  if (choice === 'file' && !isThere) await (await createFileKey(home.path(keyFile))).close()
  if (choice === 'tpm' && !isThere) await createKeyInTpm(session, home, tcti)
  const reference = choice === 'file' || choice === 'tpm' ? `${choice}:${keyFile}` : choice
  const key = create
    ? await openTokenKey(session, choice, create)
    : await openOperatorKey(session, home, reference, tcti)
  return { key, reference }
}

async function createKeyInTpm(session: Session, home: Home, tcti: string): Promise<void> {
  // The addon is loaded by those who use a TPM; operators elsewhere need none.
  const { openTpm } = await import('../attester/connect.ts')
  const { createTpmKey } = await import('../attester/tpm-key.ts')
  session.progress.step('creating a key in the TPM')
  const tpm = await openTpm(tcti)
  try {
    await home.createText(keyFile, await createTpmKey(tpm, { description: 'Assay operator' }))
  } finally {
    await tpm.close()
  }
}

/**
 * Opens the key that a home remembers; it is closed with the session.
 *
 * @param reference `file:NAME`, `tpm:NAME` (files of the home) or a `pkcs11:` URI
 */
export async function openOperatorKey(
  session: Session,
  home: Home,
  reference: string,
  tcti: string,
): Promise<ClientKey> {
  const [, kind, name = ''] = /^(file|tpm):([\w.-]+)$/.exec(reference) ?? []
  if (kind === 'file') return await openFileKey(home.path(name))
  if (kind === 'tpm') return await openKeyInTpm(session, await home.readText(name), tcti)
  if (!reference.startsWith('pkcs11:'))
    throw new HomeError('home-malformed', { found: 'the key in operator.json' })
  return await openTokenKey(session, reference, false)
}

async function openKeyInTpm(session: Session, pem: string, tcti: string): Promise<ClientKey> {
  const { openTpmKey } = await import('../attester/tpm-key.ts')
  session.progress.step('opening the key in the TPM')
  return closing(session, await openTpmKey(tcti, pem))
}

async function openTokenKey(session: Session, uri: string, create: boolean): Promise<ClientKey> {
  const { openPkcs11Key } = await import('../hsm/pkcs11-key.ts')
  session.progress.step('opening the key in the PKCS#11 token')
  const { pinSource } = session.environment
  return closing(session, await openPkcs11Key(uri, { create, pinSource }))
}

function closing(session: Session, key: ClientKey): ClientKey {
  session.closeLater(async () => await key.close())
  return key
}
