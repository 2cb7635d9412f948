import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './programs.ts'

/** A throwaway maker of TPMs: a root and an intermediate that signs endorsement key certificates. */
export interface Manufacturer {
  /** The configuration of swtpm_localca. */
  readonly configuration: string
  /** The options of swtpm_localca: what the certificates say of the platform. */
  readonly options: string
  /** The self-signed root, PEM. */
  readonly rootCertificate: string
  /** The intermediate, PEM; it signs the endorsement key certificates. */
  readonly issuerCertificate: string
}

// A key that no TPM has, to make swtpm_localca create its CA: P-256's base point.
const anyPoint =
  'x=6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,' +
  'y=4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5,id=secp256r1'

/**
 * Founds a manufacturer whose keys and certificates lie in `dir`, by swtpm_localca.
 *
 * @throws {EmulatorError} emulator-program-missing, emulator-failed
 */
export async function createManufacturer(dir: string): Promise<Manufacturer> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const configuration = join(dir, 'localca.conf')
  const options = join(dir, 'localca.options')
  await writeFile(configuration, configurationFor(dir))
  await writeFile(options, platformOptions)
  await certify({ configuration, options }, anyPoint, dir)
  return {
    configuration,
    options,
    rootCertificate: await readFile(join(dir, 'swtpm-localca-rootca-cert.pem'), 'utf8'),
    issuerCertificate: await readFile(join(dir, 'issuercert.pem'), 'utf8'),
  }
}

/**
 * An endorsement key certificate (DER) for a key given in the words of swtpm_localca: the modulus in hexadecimal, or
 * `x=…,y=…,id=secp256r1`.
 *
 * @throws {EmulatorError} emulator-failed
 */
export async function certify(
  manufacturer: Pick<Manufacturer, 'configuration' | 'options'>,
  key: string,
  dir: string,
): Promise<Uint8Array> {
  // The options that swtpm_setup passes for this emulator.
  const model = ['--tpm-spec-family', '2.0', '--tpm-spec-level', '0', '--tpm-spec-revision', '164']
  const maker = [
    '--tpm-manufacturer',
    'id:00001014',
    '--tpm-model',
    'swtpm',
    '--tpm-version',
    'id:20191023',
  ]
  const files = [
    '--configfile',
    manufacturer.configuration,
    '--optsfile',
    manufacturer.options,
    '--dir',
    dir,
  ]
  await run('swtpm_localca', ['--type', 'ek', '--ek', key, '--tpm2', ...files, ...model, ...maker])
  return await readFile(join(dir, 'ek.cert'))
}

function configurationFor(dir: string): string {
  return [
    `statedir = ${dir}`,
    `signingkey = ${join(dir, 'signkey.pem')}`,
    `issuercert = ${join(dir, 'issuercert.pem')}`,
    `certserial = ${join(dir, 'certserial')}`,
    '',
  ].join('\n')
}

const platformOptions = `--platform-manufacturer Assay
--platform-version 1.0
--platform-model emulated
`
