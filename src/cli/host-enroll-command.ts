import { Option } from 'commander'
import { hostname } from 'node:os'
import type { EnrolledHost } from '../attester/enroll.ts'
import { vendorWordFileOf, type Home } from '../attester/home.ts'
import { parseFingerprint } from '../attester/pinned-tls.ts'
import type { ServiceClient } from '../attester/service-client.ts'
import { endorsementTemplates, type EndorsementTemplate } from '../core/tpm/templates.ts'
import { refreshHostBundle } from './bundle-refresh.ts'
import { defineCommand, type CommandAnswer, type CommandRow } from './command.ts'
import { openMachineTpm, tpmOptions, type TpmOptions } from './host-machine.ts'
import { pinLogKey } from './log-key.ts'
import { parseKeyChoice } from './operator-key.ts'
import type { Session } from './session.ts'
import {
  openTokenKey,
  openVoucher,
  readAttestation,
  recordOfOptions,
  saveTokenRecord,
  tokenOptions,
  type TokenOptions,
} from './token-machine.ts'
import { renderFacts } from './table.ts'
import { UsageError, valueOf } from './usage-error.ts'

interface EnrollOptions extends TpmOptions, TokenOptions {
  readonly fingerprint?: string
  readonly name?: string
  readonly template?: EndorsementTemplate['name']
  readonly certificate?: boolean
}

/** `assay host enroll` */
export const enrollCommand: CommandRow = defineCommand<EnrollOptions>({
  name: 'enroll',
  args: '[url]',
  summary:
    'Enrols this machine: its TPM or HSM proves what it is, and the service gives it a certificate.',
  details: [
    'Nothing is sent before the service has shown the root certificate of this fingerprint. A machine that is enrolled attests anew with the same command, then without URL and fingerprint.',
    'Needs the right to use the TPM (group tss, or root). The endorsement certificate comes out of the TPM; for a TPM without one, --no-certificate shows the key’s digest for an operator to approve.',
    'With --pkcs11 the host’s key lies in a token. attested: the device’s vendor signed for the key. inspected: the service looks into the token itself. declared: a registered key of the token signs what this machine says of it; whoever has the PIN could say anything.',
  ],
  examples: [
    'assay host enroll https://assay.example:8443 --fingerprint sha256:… --name web-1',
    'assay host enroll',
    "assay host enroll https://… --fingerprint sha256:… --pkcs11 'pkcs11:token=fleet;object=host?module-path=…' --create-key --evidence inspected",
  ],
  options: [
    new Option(
      '--fingerprint <sha256:…>',
      'of the service’s root, as its operator gave it',
    ).argParser(valueOf(parseFingerprint)),
    new Option('--name <name>', 'what people call this host (default: its host name)'),
    new Option('--template <name>', 'the endorsement key to use').choices(
      endorsementTemplates.map(({ name }) => name),
    ),
    new Option('--no-certificate', 'for a TPM without endorsement certificate'),
    ...tpmOptions(),
    ...tokenOptions(),
  ],
  run: async ({ session, args: [url], options }) => {
    const home = await session.openHome()
    const client = await connectToEnroll(session, home, url, options.fingerprint)
    const logKey = await pinLogKey(client, home)
    const known = await home.findHost()
    const name = options.name ?? known?.name ?? defaultName()
    const host =
      options.pkcs11 === undefined
        ? await enrollByTpm(session, { client, home, name }, options)
        : await enrollByToken(
            session,
            { client, home, name },
            { ...options, pkcs11: options.pkcs11 },
          )
    await home.saveService({ issuer: client.issuer, root: await client.root(), logKey })
    session.progress.step('fetching the trust bundle')
    await refreshHostBundle(session, { home, client }, options)
    return answerOf(host)
  },
})

/** By the TPM of this machine. */
async function enrollByTpm(
  session: Session,
  request: EnrollTarget,
  options: EnrollOptions,
): Promise<EnrolledHost> {
  const opened = await openMachineTpm(session, options)
  const { enrollHost } = await import('../attester/enroll.ts')
  return await enrollHost({
    ...opened,
    ...request,
    progress: session.progress.step,
    template: options.template,
    withoutCertificate: options.certificate === false,
    onDigest: digest => showDigest(session, digest),
  })
}

interface EnrollTarget {
  readonly client: ServiceClient
  readonly home: Home
  readonly name: string
}

/** By a key in a PKCS#11 token. */
async function enrollByToken(
  session: Session,
  request: EnrollTarget,
  options: EnrollOptions & { readonly pkcs11: string },
): Promise<EnrolledHost> {
  const keyUri = parseKeyUri(options.pkcs11)
  const record = recordOfOptions(options)
  const key = await openTokenKey(session, keyUri, options.createKey === true)
  const voucher = await openVoucher(session, keyUri, record, options.attestation)
  const { enrollTokenHost } = await import('../attester/token-enroll.ts')
  const { step: progress } = session.progress
  const host = await enrollTokenHost({ ...request, key, keyUri, voucher, progress })
  await saveTokenRecord(request.home, record)
  const attestation = await readAttestation(options.attestation)
  if (attestation !== undefined)
    await request.home.writeText(vendorWordFileOf(host.keyFile), attestation)
  return host
}

/** Checked here, not by commander, which repeats what it refuses: there may be a PIN in it. */
function parseKeyUri(uri: string): string {
  const choice = parseKeyChoice(uri)
  if (!choice.startsWith('pkcs11:'))
    throw new UsageError('usage-malformed', { expected: 'a pkcs11: URI as --pkcs11' })
  return choice
}

/** Said whatever comes of it: an operator approves the key by what is read here. */
function showDigest(session: Session, digest: string): void {
  session.progress.clear()
  session.streams.stderr.write(`The endorsement key of this TPM has the digest ${digest}\n`)
}

/** By the fingerprint that was given; or, on a machine that knows its service, by the root that it keeps. */
async function connectToEnroll(
  session: Session,
  home: Home,
  url: string | undefined,
  fingerprint: string | undefined,
): Promise<ServiceClient> {
  if (fingerprint !== undefined && url !== undefined) return session.connect(url, { fingerprint })
  const known = await home.findService()
  const isKnown =
    known !== undefined && (url === undefined || url.replace(/\/$/, '') === known.issuer)
  if (!isKnown || fingerprint !== undefined)
    throw new UsageError('usage-missing', { expected: 'the URL and --fingerprint of the service' })
  return session.connect(known.issuer, known)
}

/** The host name in the letters that the service takes. */
function defaultName(): string {
  const plain = hostname()
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
  return plain.slice(0, 63) || 'host'
}

function answerOf(host: EnrolledHost): CommandAnswer {
  const { id, spiffeId, name, certificateChain, attestationResult, ear, notes } = host
  const { status, assurance, rule } = (attestationResult ?? {}) as Partial<Record<string, unknown>>
  return {
    json: { id, spiffeId, name, certificateChain, attestationResult, ear, notes },
    lines: [
      'This machine is enrolled.',
      ...renderFacts([
        ['id', id],
        ['SPIFFE ID', spiffeId],
        ['name', name],
        ['status', textOf(status)],
        ['decided by', textOf(rule)],
        ['assurance', textOf(assurance)],
        ...notes.map(note => ['note', note] as const),
      ]),
      '',
      'Next: assay agent create --class NAME',
    ],
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
