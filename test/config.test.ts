import { homedir } from 'node:os'
import test from 'ava'
import * as fc from 'fast-check'
import { ConfigError, loadConfig, loadEnvironment, parseConfig } from '../src/config.ts'

const minimal = 'issuer: https://assay.example\ntrustDomain: example.org\n'

function problem(text: string): string {
  try {
    parseConfig(text, 'config.yaml')
  } catch (error) {
    if (error instanceof ConfigError && error.code === 'config-malformed') return error.found ?? ''
    throw error
  }
  throw new TypeError(`accepted: ${text}`)
}

test('a configuration needs to name the service; everything else has a default', t => {
  t.like(parseConfig(minimal, 'config.yaml'), {
    issuer: 'https://assay.example',
    trustDomain: 'example.org',
    listen: { host: '127.0.0.1', port: 8443 },
    attestation: {
      assurance: ['tpm-discrete', 'tpm-firmware', 'tpm-virtual'],
      pcrs: [0, 1, 2, 3, 4, 5, 6, 7],
      referenceValues: {},
      validitySeconds: 86_400,
      challengeSeconds: 300,
      requestsPerMinute: 300,
      keepPerHost: 10,
      keepRefused: 1000,
      keepRefusedSeconds: 604_800,
    },
    endorsements: {
      revocation: 'when-available',
      revocationByVendor: {},
      maxAgeSeconds: 2_592_000,
      expired: 'refuse',
      fetch: { hosts: [], timeoutSeconds: 5, maxBytes: 65_536 },
    },
    certificate: { lifetimeSeconds: 3600 },
    ocsp: { signaturesPerMinute: 600 },
    grants: { requestSeconds: 3600, unusedSeconds: 900, maxMinutes: 480, pendingPerAgent: 8 },
    token: { maxLifetimeSeconds: 300 },
  })
})

test('emulated hardware is accepted only where it is written', t => {
  t.false(parseConfig(minimal, 'x').attestation.assurance.includes('emulated'))
  const text = `${minimal}attestation:\n  assurance: [emulated]\n`
  t.deepEqual(parseConfig(text, 'x').attestation.assurance, ['emulated'])
})

const refused: readonly (readonly [string, string, string])[] = [
  ['nothing', '', 'issuer'],
  ['no mapping', '- a\n', 'the document'],
  ['broken YAML', 'issuer: [\n', 'config.yaml: '],
  ['a key twice', `${minimal}issuer: https://b.example\n`, 'config.yaml: '],
  ['an issuer without TLS', minimal.replace('https', 'http'), 'config.yaml:1: issuer'],
  ['an issuer with a slash', minimal.replace('.example', '.example/'), ':1: issuer'],
  ['an issuer with a path', minimal.replace('.example', '.example/a'), ':1: issuer'],
  ['an issuer with a query', minimal.replace('.example', '.example?a'), ':1: issuer'],
  ['an issuer in capitals', minimal.replace('assay.', 'Assay.'), ':1: issuer'],
  ['an issuer with the port that goes without saying', minimal.replace('ple', 'ple:443'), ':1: '],
  ['an issuer in other letters', minimal.replace('assay', 'ässay'), ':1: issuer'],
  ['an issuer with a dot at its end', minimal.replace('.example', '.example.'), ':1: issuer'],
  ['an issuer with a dot before its port', minimal.replace('ple', 'ple.:8443'), ':1: issuer'],
  ['an issuer with a user', minimal.replace('https://', 'https://a@'), ':1: issuer'],
  ['a trust domain in capitals', minimal.replace('example.org', 'Example.org'), ':2: trustDomain'],
  ['an unknown level', `${minimal}attestation:\n  assurance: [tpm]\n`, ':4: attestation.assurance'],
  ['a PCR beyond 23', `${minimal}attestation:\n  pcrs: [24]\n`, ':4: attestation.pcrs.0'],
  ['a PCR twice', `${minimal}attestation:\n  pcrs: [0, 0]\n`, ':4: attestation.pcrs'],
  ['no PCR', `${minimal}attestation:\n  pcrs: []\n`, ':4: attestation.pcrs'],
  ['a value that is no digest', `${minimal}attestation:\n  referenceValues: { 0: [ab] }\n`, ':4: '],
  [
    'values for a PCR that is not quoted',
    `${minimal}attestation:\n  referenceValues: { 9: ['${'a'.repeat(64)}'] }\n`,
    'referenceValues',
  ],
  ['a lifetime of no time', `${minimal}token:\n  maxLifetimeSeconds: 0\n`, ':4: token.max'],
  ['a lifetime of days', `${minimal}token:\n  maxLifetimeSeconds: 86400\n`, ':4: token.max'],
  ['a port beyond all ports', `${minimal}listen:\n  port: 65536\n`, ':4: listen.port'],
  ['an empty host', `${minimal}listen:\n  host: ''\n`, ':4: listen.host'],
  [
    'more aliases than a configuration has',
    `a: &a [x]\nb: &b [${'*a,'.repeat(9)}*a]\nc: [${'*b,'.repeat(9)}*b]\n`,
    'aliases',
  ],
]

for (const [name, text, place] of refused) {
  test(`refuses ${name} and names the place`, t => {
    t.true(problem(text).includes(place), problem(text))
  })
}

test('an unknown key is refused, and the one that was meant is named', t => {
  t.is(
    problem(`${minimal}tokens: {}\n`),
    'config.yaml: unknown key "tokens"; did you mean "token"?',
  )
  t.regex(
    problem(`${minimal}listen:\n  prot: 1\n`),
    /listen: unknown key "prot"; did you mean "port"\?/,
  )
  t.regex(problem(`${minimal}somethingElseEntirely: 1\n`), /unknown key "somethingElseEntirely"$/)
})

test('any text is a configuration or refused by its code', t => {
  const line = fc.tuple(fc.string(), fc.jsonValue()).map(([k, v]) => `${k}: ${JSON.stringify(v)}`)
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(line).map(lines => lines.join('\n')),
      ),
      text => {
        try {
          parseConfig(minimal + text, 'x')
          t.pass()
        } catch (error) {
          t.true(error instanceof ConfigError)
        }
      },
    ),
  )
})

test('a file that is not there is missing, not malformed', t => {
  t.throws(() => loadConfig('/nonexistent/config.yaml'), { code: 'config-missing' })
})

test('the environment has defaults that follow the platform’s conventions', t => {
  t.deepEqual(loadEnvironment({}), {
    dataDirectory: `${homedir()}/.local/share/assay`,
    homeDirectory: `${homedir()}/.config/assay`,
    tcti: 'device:/dev/tpmrm0',
    logLevel: 'info',
    pinSource: undefined,
    keyPassphrase: { file: undefined, credentials: undefined },
  })
  const xdg = loadEnvironment({ XDG_DATA_HOME: '/d', XDG_CONFIG_HOME: '/c' })
  t.deepEqual([xdg.dataDirectory, xdg.homeDirectory], ['/d/assay', '/c/assay'])
})

test('what the environment says goes before its defaults', t => {
  const environment = loadEnvironment({
    ASSAY_DATA: '/data',
    ASSAY_HOME: 'relative',
    ASSAY_TCTI: 'swtpm:path=/x',
    ASSAY_LOG_LEVEL: 'debug',
    ASSAY_PIN_SOURCE: '/pin',
    ASSAY_KEY_PASSPHRASE_FILE: '/passphrase',
    CREDENTIALS_DIRECTORY: '/run/credentials/assay.service',
    XDG_DATA_HOME: '/d',
  })
  t.deepEqual(environment, {
    dataDirectory: '/data',
    homeDirectory: `${process.cwd()}/relative`,
    tcti: 'swtpm:path=/x',
    logLevel: 'debug',
    pinSource: '/pin',
    keyPassphrase: { file: '/passphrase', credentials: '/run/credentials/assay.service' },
  })
})
