import { Option } from 'commander'
import { resolve } from 'node:path'
import { createService, type CreatedService } from './create-service.ts'
import { defineCommand, type CommandAnswer, type CommandRow } from './command.ts'
import { loadOutsideAuthority, type OutsideOptions } from './issuing-authority.ts'
import { parseKeyChoice } from './operator-key.ts'
import { defaultIssuer, prepareConfig, type ServiceOptions } from './service-config.ts'
import { renderFacts } from './table.ts'
import { someText, valueOf } from './usage-error.ts'

interface InitOptions extends ServiceOptions, OutsideOptions {
  readonly data?: string
  readonly operator: string
  readonly key: string
  readonly createKey?: boolean
  readonly tcti?: string
}

/** Where an operator's key is to be: shared by the commands that set an operator up. */
export function keyOptions(): Option[] {
  return [
    new Option(
      '--key <where>',
      'the operator’s key: file (lowest level), tpm, or a pkcs11: URI (RFC 7512, with module-path)',
    ).default('file'),
    new Option('--create-key', 'make the key in the PKCS#11 token that the URI names'),
    new Option('--tcti <tcti>', 'the TPM, for --key tpm (ASSAY_TCTI)'),
  ]
}

/** `assay init` */
export const initCommand: CommandRow = defineCommand<InitOptions>({
  name: 'init',
  summary: 'Makes a service: its certificate authority, and the key of its first operator.',
  details: [
    'Writes config.yaml with every key and its default (README, Configuration) into the data directory, beside the database and the keys of the service; change it there and start the service again.',
    'There is no password and no API key: the operator is whoever holds the key. Keep ca/root.key.pem of the data directory elsewhere once it is made; or hold a ceremony where that key is to stay (assay ca ceremony), and begin with --issuing-certificate, so that it never is on this machine.',
  ],
  examples: [
    'assay init --issuer https://assay.example:8443 --listen 0.0.0.0:8443 --key tpm',
    'assay init --issuing-certificate chain.pem --issuing-key issuing.key.pem',
    "assay init --key 'pkcs11:token=ops;object=alice?module-path=/usr/lib/softhsm/libsofthsm2.so' --create-key",
  ],
  options: [
    new Option('--issuer <url>', `address and name of the service (default: ${defaultIssuer})`),
    new Option(
      '--trust-domain <name>',
      'SPIFFE trust domain (default: the host name of the issuer)',
    ),
    new Option('--listen <host:port>', 'where it listens (default: this machine alone)'),
    new Option('--allow-emulated', 'let software TPMs enrol, marked emulated: for trials and CI'),
    new Option(
      '--issuing-key <where>',
      'key of the certificate authority: embedded, or a pkcs11: URI with pin-source; made in that token where it has none',
    ),
    new Option(
      '--issuing-certificate <chain.pem>',
      'an issuing authority that a ceremony elsewhere made: its certificate, those above it, the root; --issuing-key is its key then, a PEM file or a pkcs11: URI',
    ),
    new Option('--issuing-passphrase <file>', 'file with the passphrase of that PEM file'),
    new Option('--token-key <where>', 'key that signs tokens, as --issuing-key'),
    new Option('--log-signing-key <where>', 'key that signs the audit log, as --issuing-key'),
    new Option('--data <directory>', 'where the service keeps its state (ASSAY_DATA)'),
    new Option('--operator <name>', 'name of the first operator')
      .default('admin')
      .argParser(valueOf(someText)),
    ...keyOptions(),
  ],
  run: async ({ session, options }) => {
    const { environment } = session
    const outside = await loadOutsideAuthority(options)
    const created = await createService(session, {
      outside,
      dataDirectory: options.data === undefined ? environment.dataDirectory : resolve(options.data),
      config: prepareConfig(options),
      operatorName: options.operator,
      key: {
        choice: parseKeyChoice(options.key),
        create: options.createKey === true,
        tcti: options.tcti ?? environment.tcti,
      },
    })
    return answerOf(created)
  },
})

function answerOf(created: CreatedService): CommandAnswer {
  return {
    json: created,
    lines: [
      'The service is made.',
      '',
      ...renderCreated(created),
      '',
      'Next:',
      '  1. assay serve',
      '  2. assay anchor add CA.pem --name … --vendor … --assurance …   admit the maker of your TPMs',
      '  3. assay class register NAME --audience URL --scope … --host … what agents may do',
      '  4. on each host, with the fingerprint over a channel that you trust:',
      `     assay host enroll ${created.issuer} --fingerprint ${created.fingerprint}`,
    ],
  }
}

/** The facts of a new service, for people. */
export function renderCreated(created: CreatedService): string[] {
  const { issuer, fingerprint, trustDomain, dataDirectory, home, operator } = created
  return renderFacts([
    ['issuer', issuer],
    ['fingerprint', fingerprint],
    ['trust domain', trustDomain],
    ['assurance', created.assurance.join(' ')],
    ['data', dataDirectory],
    ['operator', `${operator.name} (${operator.clientId})`],
    ['operator key', operator.note],
    ['home', home],
  ])
}
