import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { createToken } from '../../swtpm/soft-hsm.ts'

/** Two tokens in software: one that the service keeps its keys in, one of a host that has an HSM and no TPM. */
export interface Tokens {
  /** What a process that uses them is started with. */
  readonly environment: Readonly<Record<string, string>>
  /** URI of a key of the service's token (RFC 7512), with the file of its PIN. */
  authority(object: string): string
  /** URI of the host's token. */
  readonly host: string
  /** URI of a key in it. */
  hostKey(object: string): string
  /** The file of its PIN. */
  readonly hostPin: string
}

/** Initialises both tokens below a directory, with random-looking PINs in files of their own. */
export async function createTokens(directory: string): Promise<Tokens> {
  const dir = join(directory, 'hsm')
  const make = async (label: string, pin: string) => {
    const token = await createToken({ dir, label, pin, soPin: `so-${pin}` })
    const pinFile = join(directory, `${label}.pin`)
    await writeFile(pinFile, `${pin}\n`, { mode: 0o600 })
    return { ...token, pinFile, query: `?module-path=${token.modulePath}` }
  }
  const authority = await make('authority', 'demo-4711')
  const host = await make('payroll', 'demo-0815')
  return {
    environment: { ...authority.environment },
    authority: object =>
      `pkcs11:token=authority;object=${object}${authority.query}&pin-source=${authority.pinFile}`,
    host: `pkcs11:token=payroll${host.query}&pin-source=${host.pinFile}`,
    hostKey: object => `pkcs11:token=payroll;object=${object}${host.query}`,
    hostPin: host.pinFile,
  }
}

/** Lets the service look into a token, and enrol what it finds there. */
export async function admitInspectedToken(dataDirectory: string, uri: string): Promise<void> {
  const path = join(dataDirectory, 'config.yaml')
  const config = parse(await readFile(path, 'utf8')) as {
    readonly attestation: { readonly assurance: readonly string[] }
  }
  const assurance = [...config.attestation.assurance, 'hsm-inspected']
  const attestation = { ...config.attestation, assurance }
  const changed = { ...config, attestation, inspection: { pkcs11: [uri] } }
  await writeFile(path, stringify(changed))
}
