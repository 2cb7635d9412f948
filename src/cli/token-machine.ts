import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Option } from 'commander'
import type { ProvenAgentKey } from '../attester/agents.ts'
import type { KeyChallenge } from '../attester/challenge.ts'
import type { Home } from '../attester/home.ts'
import { parseRecord, type HomeRecord } from '../attester/home-record.ts'
import { decodePemBundle } from '../attester/pem.ts'
import type { Voucher } from '../attester/token-key.ts'
import { importJwk } from '../core/jose/jwk.ts'
import type { Pkcs11Key } from '../hsm/pkcs11-key.ts'
import type { Session } from './session.ts'
import { UsageError } from './usage-error.ts'

/** Options of commands that use a PKCS#11 token of this machine. */
export interface TokenOptions {
  readonly pkcs11?: string
  readonly createKey?: boolean
  readonly evidence?: 'attested' | 'inspected' | 'declared'
  readonly attestationKey?: string
  readonly attestation?: string
  readonly vendor?: string
}

/** How the keys of this home's token are vouched for; empty texts where a member does not apply. */
export interface TokenRecord extends HomeRecord<'evidence' | 'vendor' | 'attestationKey'> {}

const recordFile = 'host.token.json'
const recordMembers = ['evidence', 'vendor', 'attestationKey'] as const

/** What vouches for one key beside the level: a file with a vendor's attestation of it. */
export function attestationOption(): Option {
  return new Option(
    '--attestation <file>',
    'PEM: the device’s attestation of the key, then the device’s certificate',
  )
}

/** The options of enrolment. */
export function tokenOptions(): Option[] {
  return [
    new Option('--pkcs11 <uri>', 'the host’s key in a PKCS#11 token, in place of a TPM'),
    new Option('--create-key', 'make that key in the token'),
    new Option('--evidence <level>', 'who vouches for keys of the token').choices([
      'attested',
      'inspected',
      'declared',
    ]),
    new Option('--attestation-key <object>', 'label of the registered key (declared)'),
    attestationOption(),
    new Option('--vendor <product>', 'yubihsm2 or yubikey-piv (attested)'),
  ]
}

/** Keeps how the keys of this token are vouched for. */
export async function saveTokenRecord(home: Home, record: TokenRecord): Promise<void> {
  await home.writeText(recordFile, `${JSON.stringify(record, undefined, 2)}\n`)
}

/** How the keys of this home's token are vouched for. */
export async function loadTokenRecord(home: Home): Promise<TokenRecord> {
  return parseRecord(await home.readText(recordFile), home.path(recordFile), recordMembers)
}

/** What the options say of who vouches. Throws UsageError `usage-missing`. */
export function recordOfOptions(options: TokenOptions): TokenRecord {
  const { evidence, attestationKey = '', vendor = '', attestation } = options
  if (evidence === undefined)
    throw new UsageError('usage-missing', {
      expected: '--evidence attested, inspected or declared',
    })
  if (evidence === 'declared' && attestationKey === '')
    throw new UsageError('usage-missing', {
      expected: '--attestation-key with --evidence declared',
    })
  if (evidence === 'attested' && (vendor === '' || attestation === undefined))
    throw new UsageError('usage-missing', { expected: '--vendor and --attestation' })
  return { evidence, vendor, attestationKey }
}

/** Opens a key of the token by its URI; closed with the session. */
export async function openTokenKey(
  session: Session,
  uri: string,
  create = false,
): Promise<Pkcs11Key> {
  const { openPkcs11Key } = await import('../hsm/pkcs11-key.ts')
  session.progress.step('opening the key in the PKCS#11 token')
  const key = await openPkcs11Key(uri, { create, pinSource: session.environment.pinSource })
  session.closeLater(async () => await key.close())
  return key
}

/** What vouches for a key beside `uri`, by the record. */
export async function openVoucher(
  session: Session,
  uri: string,
  { evidence, vendor, attestationKey }: TokenRecord,
  attestation: string | undefined,
): Promise<Voucher> {
  if (evidence === 'inspected') return { format: 'hsm-inspected' }
  if (evidence === 'declared') {
    const key = await openTokenKey(session, uriOfObject(uri, attestationKey))
    return { format: 'hsm-declared', attestationKey: key }
  }
  if (attestation === undefined)
    throw new UsageError('usage-missing', { expected: '--attestation with the device’s word' })
  const certificates = decodePemBundle(await readFile(attestation, 'utf8'), ['CERTIFICATE'])
  return { format: 'hsm-attested', vendor, certificates }
}

/** The text of a file with a vendor's attestation; undefined where none is named. */
export async function readAttestation(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : await readFile(file, 'utf8')
}

/** The URI of another key of the same token (RFC 7512 §2.3). */
export function uriOfObject(uri: string, label: string): string {
  const [path = '', query] = uri.slice('pkcs11:'.length).split('?')
  const kept = path.split(';').filter(part => part !== '' && !/^(object|id|type)=/.test(part))
  const parts = [...kept, `object=${encodeURIComponent(label)}`].join(';')
  return `pkcs11:${parts}${query === undefined ? '' : `?${query}`}`
}

/** Options of commands that give an agent a key in the host's token. */
export interface AgentTokenOptions {
  readonly attestation?: string
  readonly object?: string
}

/** The same as commander declares them. */
export function agentTokenOptions(): Option[] {
  return [
    new Option('--object <label>', 'use this key of the host’s token, made before (attested)'),
    attestationOption(),
  ]
}

/**
 * Makes keys of agents in the token of the host, and has them proven.
 *
 * @param hostUri the host's own key
 */
export function tokenKeyProver(
  session: Session,
  home: Home,
  hostUri: string,
  { attestation, object }: AgentTokenOptions,
): (agentId: string, challenge: KeyChallenge) => Promise<ProvenAgentKey> {
  return async (agentId, { nonce, audience }) => {
    const { collectTokenEvidence } = await import('../attester/token-evidence.ts')
    const label = object ?? `assay-agent-${agentId}-${randomBytes(4).toString('hex')}`
    const uri = uriOfObject(hostUri, label)
    const key = await openTokenKey(session, uri, object === undefined)
    const voucher = await openVoucher(session, hostUri, await loadTokenRecord(home), attestation)
    const context = { purpose: 'agent', audience, contextId: agentId, nonce } as const
    const { csr, hsm } = await collectTokenEvidence(key, voucher, context)
    const kept = await readAttestation(attestation)
    const proven = { csr, evidence: { hsm }, file: `${uri}\n`, publicKey: importJwk(key.jwk) }
    return { ...proven, attestation: kept }
  }
}
