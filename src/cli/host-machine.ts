import { Option } from 'commander'
import type { Tpm } from '../../native/index.ts'
import type { TokenAgentRequest } from '../attester/agents.ts'
import type { ClientKey } from '../attester/client-key.ts'
import { AttesterError } from '../attester/error.ts'
import { hostAttestationFile, type Home, type HostIdentity } from '../attester/home.ts'
import { readPrivateFile } from '../attester/private-file.ts'
import type { ServiceClient } from '../attester/service-client.ts'
import { attestationPlace } from './attestation-place.ts'
import type { Session } from './session.ts'
import { openTokenKey, tokenKeyProver, type AgentTokenOptions } from './token-machine.ts'

/** Options of the commands that use the TPM of this machine. */
export interface TpmOptions {
  readonly tcti?: string
  readonly ownerAuthFile?: string
  readonly endorsementAuthFile?: string
}

/** The same as commander declares them. */
export function tpmOptions(): Option[] {
  return [
    new Option('--tcti <tcti>', 'the TPM, such as device:/dev/tpmrm0 (ASSAY_TCTI)'),
    new Option('--owner-auth-file <file>', 'the owner hierarchy’s value, where one is set'),
    new Option(
      '--endorsement-auth-file <file>',
      'the endorsement hierarchy’s value, where one is set',
    ),
  ]
}

/** The TPM of this machine with what its owner has set; closed with the session. */
export interface OpenedTpm {
  readonly tpm: Tpm
  readonly ownerAuth: Uint8Array | undefined
  readonly endorsementAuth: Uint8Array | undefined
}

/** Some TPMs let in one connection at a time: a command has one, whatever it uses the TPM for. */
const openedBySession = new WeakMap<Session, Promise<OpenedTpm>>()

/**
 * Opens the TPM of this machine, once for a command. Throws AttesterError `tpm-…`; PrivateFileError for the files of
 * values.
 */
export async function openMachineTpm(session: Session, options: TpmOptions): Promise<OpenedTpm> {
  const opened = openedBySession.get(session) ?? openAnew(session, options)
  openedBySession.set(session, opened)
  return await opened
}

async function openAnew(session: Session, options: TpmOptions): Promise<OpenedTpm> {
  const ownerAuth = await loadAuth(options.ownerAuthFile)
  const endorsementAuth = await loadAuth(options.endorsementAuthFile)
  // The addon is loaded by those who use a TPM; operators elsewhere need none.
  const { openTpm } = await import('../attester/connect.ts')
  session.progress.step('opening the TPM')
  const tpm = await openTpm(options.tcti ?? session.environment.tcti)
  session.closeLater(async () => await tpm.close())
  return { tpm, ownerAuth, endorsementAuth }
}

/** An authValue from a private file; a line end after it is not part of it. */
async function loadAuth(path: string | undefined): Promise<Uint8Array | undefined> {
  if (path === undefined) return undefined
  return Buffer.from((await readPrivateFile(path)).replace(/\r?\n$/, ''), 'utf8')
}

/** An enrolled host, speaking for itself; with the hardware that holds its keys. */
export type ConnectedHost = {
  readonly home: Home
  readonly host: HostIdentity
  readonly key: ClientKey
  readonly client: ServiceClient
} & (OpenedTpm | Pick<TokenAgentRequest, 'proveTokenKey'>)

/**
 * Connects as the host that this machine is.
 *
 * @throws HomeError `home-empty`; AttesterError `not-enrolled`, `tpm-…`
 */
export async function connectHost(
  session: Session,
  options: TpmOptions & AgentTokenOptions,
): Promise<ConnectedHost> {
  const home = await session.openHome()
  const service = await home.loadService()
  const host = await home.findHost()
  if (host === undefined) throw new AttesterError('not-enrolled', { found: home.directory })
  const file = await home.readText(host.keyFile)
  const place = attestationPlace(session, home, hostAttestationFile)
  const connect = (key: ClientKey): ServiceClient =>
    session.connect(service.issuer, service, key, place)
  if (isTokenKey(file)) {
    const uri = file.trim()
    const key = await openTokenKey(session, uri)
    const proveTokenKey = tokenKeyProver(session, home, uri, options)
    return { proveTokenKey, home, host, key, client: connect(key) }
  }
  const opened = await openMachineTpm(session, options)
  const key = await openLocalKey(session, opened, file)
  return { ...opened, home, host, key, client: connect(key) }
}

function isTokenKey(file: string): boolean {
  return file.startsWith('pkcs11:')
}

/** Opens the key of a key file, in the token or the TPM of this machine; closed with the session. */
export async function openKeyOfFile(
  session: Session,
  file: string,
  options: TpmOptions,
): Promise<ClientKey> {
  if (isTokenKey(file)) return await openTokenKey(session, file.trim())
  return await openLocalKey(session, await openMachineTpm(session, options), file)
}

/** Opens a key file of this machine in its TPM; closed with the session, before the TPM. */
async function openLocalKey(
  session: Session,
  { tpm, ownerAuth }: OpenedTpm,
  pem: string,
): Promise<ClientKey> {
  const { openTpmKey } = await import('../attester/tpm-key.ts')
  const key = await openTpmKey(tpm, pem, { ownerAuth })
  session.closeLater(async () => await key.close())
  return key
}
