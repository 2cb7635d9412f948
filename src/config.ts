import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { endorsementSettings } from './config-endorsements.ts'
import { CodedError, type ErrorFacts, type ErrorRow } from './core/coded-error.ts'
import { nearestWord } from './core/nearest-word.ts'
import { isUrlHost } from './core/spiffe/bundle-endpoint.ts'
import { isTrustDomain } from './core/spiffe/spiffe-id.ts'
import { assuranceLevels } from './core/verifier/assurance.ts'
import { keysSchema } from './keys-config.ts'

const rows = {
  'config-exists': {
    summary: 'This directory holds a service already.',
    hint: 'Start it with `assay serve`, or choose another directory with --data.',
  },
  'config-exposed': {
    summary: 'A key file of the service can be read by other users of this machine.',
    hint: 'Take the rights away with chmod 600, and consider the key known.',
  },
  'config-unwritable': {
    summary: 'The files of the service cannot be written here.',
    hint: 'Choose another directory with --data, or give this user the right to write there.',
  },
  'config-address': {
    summary: 'The service cannot listen at this address.',
    hint: 'Stop what listens there, or set listen.host and listen.port.',
  },
  'config-missing': {
    summary: 'There is no configuration here.',
    hint: 'Run `assay init`, or name the directory with --data or ASSAY_DATA.',
  },
  'config-malformed': {
    summary: 'The configuration cannot be used as it is.',
    hint: 'Correct the line named above; `assay init --help` lists what init writes.',
  },
} as const satisfies Record<string, ErrorRow>

/** A configuration that cannot be used; `found` names file, line and key. */
export class ConfigError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}

const hexDigest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 digest is 64 lower-case hex digits')

/** The whole configuration of a service; each member has a default but the two that name it. */
export const configSchema = z.strictObject({
  /** The service's own name: its URL as callers see it, without a trailing slash (RFC 8414 §2). */
  issuer: z.url({ protocol: /^https$/ }).refine(isIssuer, {
    message:
      'an issuer is an https URL as clients write it: host in lower case, no port 443, no path, no slash or dot at its end',
  }),
  /** SPIFFE trust domain of everything this service names. */
  trustDomain: z
    .string()
    .refine(isTrustDomain, 'lower-case letters, digits, dots, dashes and underscores'),
  listen: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.int().min(0).max(65535).default(8443),
    })
    .prefault({}),
  attestation: z
    .strictObject({
      /** Levels that may enrol. `emulated` is accepted only where it is written here. */
      assurance: z
        .array(z.enum(assuranceLevels))
        .default(['tpm-discrete', 'tpm-firmware', 'tpm-virtual']),
      /** PCRs of the SHA-256 bank that each quote must cover. */
      pcrs: z
        .array(z.int().min(0).max(23))
        .min(1)
        .refine(pcrs => new Set(pcrs).size === pcrs.length, 'a PCR is named once')
        .default([0, 1, 2, 3, 4, 5, 6, 7]),
      /** For a quoted PCR, the values that are accepted; a PCR without values is recorded only. */
      referenceValues: z
        .record(z.string().regex(/^([0-9]|1[0-9]|2[0-3])$/), z.array(hexDigest).min(1))
        .default({}),
      /** How long an Attestation Result holds; no credential outlasts it. */
      validitySeconds: z
        .int()
        .min(60)
        .max(7 * 86_400)
        .default(86_400),
      /** How long a host has to answer a challenge. */
      challengeSeconds: z.int().min(10).max(600).default(300),
      /** Attestations kept of each host, with their Evidence. */
      keepPerHost: z.int().min(1).max(1_000).default(10),
      /** Refused attestations kept: how many at most, and how long. */
      keepRefused: z.int().min(1).max(100_000).default(1_000),
      keepRefusedSeconds: z
        .int()
        .min(60)
        .max(366 * 86_400)
        .default(7 * 86_400),
      /** Enrolment requests that one network address may make in a minute. */
      requestsPerMinute: z.int().min(1).max(100_000).default(300),
    })
    .refine(({ pcrs, referenceValues }) => isQuoted(referenceValues, pcrs), {
      path: ['referenceValues'],
      message: 'values for a PCR that pcrs does not name would never be looked at',
    })
    .prefault({}),
  endorsements: endorsementSettings,
  /** The authorities that `assay ca rotate prepare` makes. */
  authority: z
    .strictObject({
      rootDays: z.int().min(30).max(7300).default(3650),
      issuingDays: z.int().min(1).max(3650).default(365),
      /** How soon whoever keeps the trust bundle is to look for the next one (`spiffe_refresh_hint`). */
      bundleRefreshSeconds: z.int().min(10).max(86_400).default(300),
    })
    .prefault({}),
  ocsp: z
    .strictObject({
      /**
       * Answers that one network address may have in a minute where each costs a signature: with a nonce, about several
       * certificates, or about one that is not known. Others come from what was signed before, and are not counted.
       */
      signaturesPerMinute: z.int().min(1).max(100_000).default(600),
    })
    .prefault({}),
  /** Bundle endpoints of other trust domains; none is asked where no host is named. */
  federation: z
    .strictObject({
      hosts: z
        .array(z.string().max(260).refine(isUrlHost, 'a host in lower case, its port if not 443'))
        .max(64)
        .default([]),
      /** Whether names may lead to addresses inside a network. */
      privateAddresses: z.boolean().default(false),
      timeoutSeconds: z.int().min(1).max(30).default(10),
      /** File of the authorities (PEM) that count with profile https_web, in place of the machine's. */
      webAuthorities: z.string().min(1).optional(),
    })
    .prefault({}),
  /** A second listener that serves trust bundles alone, under a certificate of the web (profile https_web). */
  bundleEndpoint: z
    .strictObject({
      listen: z.strictObject({ host: z.string().min(1), port: z.int().min(0).max(65535) }),
      /** Files, PEM: the certificate with those above it, and its key. */
      certificate: z.string().min(1),
      key: z.string().min(1),
    })
    .optional(),
  inspection: z
    .strictObject({
      /**
       * Tokens on which this service opens sessions of its own, to look at hosts' keys there (`hsm-inspected`): PKCS#11
       * URIs with module-path and pin-source.
       */
      pkcs11: z
        .array(z.string().startsWith('pkcs11:', 'a pkcs11: URI of a token'))
        .max(16)
        .refine(uris => uris.every(uri => !/[?&]pin-value=/.test(uri)), 'a PIN has no place here')
        .default([]),
    })
    .prefault({}),
  certificate: z
    .strictObject({ lifetimeSeconds: z.int().min(60).max(86_400).default(3600) })
    .prefault({}),
  keys: keysSchema.prefault({}),
  /** Just-in-time access: how long grant requests wait, approvals for once too, and how long any approval counts. */
  grants: z
    .strictObject({
      requestSeconds: z.int().min(60).max(604_800).default(3_600),
      unusedSeconds: z.int().min(30).max(86_400).default(900),
      maxMinutes: z.int().min(1).max(10_080).default(480),
      /** Requests of one agent that wait at the same time. */
      pendingPerAgent: z.int().min(1).max(100).default(8),
    })
    .prefault({}),
  token: z
    .strictObject({
      maxLifetimeSeconds: z.int().min(30).max(900).default(300),
      /** How long relying parties use a copy of the key set; a new key is published for longer before it signs. */
      keySetMaxAgeSeconds: z.int().min(1).max(86_400).default(60),
    })
    .prefault({}),
})

/**
 * One service, one name: issuers are compared as texts (RFC 8414 §3.3), and a client makes its own of an address, in
 * the one form that the URL standard gives it.
 */
function isIssuer(text: string): boolean {
  return (
    URL.canParse(text) && new URL(text).origin === text && !text.replace(/:\d+$/, '').endsWith('.')
  )
}

function isQuoted(values: Readonly<Record<string, unknown>>, pcrs: readonly number[]): boolean {
  return Object.keys(values).every(pcr => pcrs.includes(Number(pcr)))
}

export type Config = z.infer<typeof configSchema>

/**
 * Reads the text of a configuration file.
 *
 * @param name the file's name, for messages
 * @throws ConfigError `config-malformed`, naming the line
 */
export function parseConfig(text: string, name: string): Config {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const [syntax] = document.errors
  if (syntax !== undefined)
    throw new ConfigError('config-malformed', { found: `${name}: ${syntax.message}` })
  const result = configSchema.safeParse(plainValue(document, name))
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new ConfigError('config-malformed', {
    found: `${name}${lineOf(document, lines, issue?.path ?? [])}: ${describeIssue(issue)}`,
  })
}

function plainValue(document: ReturnType<typeof parseDocument>, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 10 }) ?? {}
  } catch (cause) {
    throw new ConfigError('config-malformed', { found: `${name}: too many aliases`, cause })
  }
}

function lineOf(
  document: ReturnType<typeof parseDocument>,
  lines: LineCounter,
  path: PropertyKey[],
): string {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true)
    const range = (node as { range?: [number, number, number] } | undefined)?.range
    if (range !== undefined) return `:${lines.linePos(range[0]).line}`
  }
  return ''
}

function describeIssue(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'unreadable'
  const place = issue.path.join('.') || 'the document'
  if (issue.code !== 'unrecognized_keys') return `${place}: ${issue.message}`
  const [key = ''] = issue.keys
  const near = nearestWord(key, knownKeys(configSchema))
  return `${issue.path.length ? `${place}: ` : ''}unknown key "${key}"${near === undefined ? '' : `; did you mean "${near}"?`}`
}

function knownKeys(schema: typeof configSchema): string[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, unknown>
  }
  return Object.entries(json.properties ?? {}).flatMap(([key, value]) => [
    key,
    ...Object.keys((value as { properties?: object }).properties ?? {}),
  ])
}

/** @throws ConfigError `config-missing`, `config-malformed` */
export function loadConfig(path: string): Config {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError('config-missing', { found: path, cause })
  }
  return parseConfig(text, path)
}

/** What the environment says; read here and nowhere else. */
export interface Environment {
  /** Where a service keeps its database, keys and configuration. */
  readonly dataDirectory: string
  /** Where a client (operator, host, agent) keeps who it is and whom it trusts. */
  readonly homeDirectory: string
  /** TCTI of the machine's TPM. */
  readonly tcti: string
  readonly logLevel: string
  /** Where a PIN is read from when a `pkcs11:` key does not say. */
  readonly pinSource: string | undefined
  /** Where the passphrase of the service's keys is; never the passphrase itself. */
  readonly keyPassphrase: {
    readonly file: string | undefined
    readonly credentials: string | undefined
  }
}

/** Reads the process environment; relative paths are taken from the current directory. */
export function loadEnvironment(variables: NodeJS.ProcessEnv = process.env): Environment {
  const data = variables['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share')
  const settings = variables['XDG_CONFIG_HOME'] ?? join(homedir(), '.config')
  return {
    dataDirectory: resolve(variables['ASSAY_DATA'] ?? join(data, 'assay')),
    homeDirectory: resolve(variables['ASSAY_HOME'] ?? join(settings, 'assay')),
    tcti: variables['ASSAY_TCTI'] ?? 'device:/dev/tpmrm0',
    logLevel: variables['ASSAY_LOG_LEVEL'] ?? 'info',
    pinSource: variables['ASSAY_PIN_SOURCE'],
    keyPassphrase: {
      file: variables['ASSAY_KEY_PASSPHRASE_FILE'],
      credentials: variables['CREDENTIALS_DIRECTORY'],
    },
  }
}
