import { stringify } from 'yaml'
import { parseConfig, type Config } from '../config.ts'
import { UsageError } from './usage-error.ts'

/** What `assay init` is told about the service. */
export interface ServiceOptions {
  readonly issuer?: string
  readonly trustDomain?: string
  readonly listen?: string
  readonly allowEmulated?: boolean
  readonly issuingKey?: string
  readonly issuingCertificate?: string
  readonly tokenKey?: string
  readonly logSigningKey?: string
}

/** The service that `assay serve` makes by itself where there is none. */
export const defaultIssuer = 'https://localhost:8443'

const hardware = ['tpm-discrete', 'tpm-firmware', 'tpm-virtual'] as const

/**
 * The configuration of a new service: what was said, and of the rest the defaults. The trust domain follows the
 * issuer's name, the port its port.
 *
 * @throws UsageError `usage-malformed`; ConfigError `config-malformed`
 */
export function prepareConfig(options: ServiceOptions): Config {
  const stated = options.issuer ?? defaultIssuer
  if (!URL.canParse(stated))
    throw new UsageError('usage-malformed', { expected: 'an https URL as --issuer', found: stated })
  const url = new URL(stated)
  // In the form in which clients will write it; what is more than an address is refused with the rest.
  const issuer = url.href === `${url.origin}/` ? url.origin : stated
  const settings = {
    issuer,
    trustDomain: options.trustDomain ?? url.hostname,
    keys: {
      ...issuingPlace(options),
      ...(options.tokenKey === undefined ? {} : { token: options.tokenKey }),
      ...(options.logSigningKey === undefined ? {} : { log: options.logSigningKey }),
    },
    listen: parseListen(options.listen, Number(url.port || 443)),
    ...(options.allowEmulated === true
      ? { attestation: { assurance: [...hardware, 'emulated'] } }
      : {}),
  }
  return parseConfig(stringify(settings), 'the options of init')
}

/** A file with the key of an authority from elsewhere is taken over, and is one of the service's own then. */
function issuingPlace({ issuingKey, issuingCertificate }: ServiceOptions): { issuing?: string } {
  const isFile = issuingCertificate !== undefined && issuingKey?.startsWith('pkcs11:') === false
  return issuingKey === undefined || isFile ? {} : { issuing: issuingKey }
}

/** `HOST:PORT`, `HOST`, `:PORT` or `[::1]:PORT`; this machine alone where nothing is said. */
function parseListen(
  text: string | undefined,
  defaultPort: number,
): { host: string; port: number } {
  if (text === undefined) return { host: '127.0.0.1', port: defaultPort }
  const [, bracketed, plain, port] =
    /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || text === '')
    throw new UsageError('usage-malformed', { expected: '--listen HOST:PORT', found: text })
  return { host: host === '' ? '127.0.0.1' : host, port: Number(port ?? defaultPort) }
}
