import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { createPkcs11Double, type Pkcs11Double } from '../../swtpm/pkcs11-double.ts'
import { createToken, type SoftToken } from '../../swtpm/soft-hsm.ts'

/** A token of an authority, behind a module that fails on demand. */
export interface TokenBehindDouble extends Pick<SoftToken, 'environment'> {
  readonly double: Pkcs11Double
  readonly pin: string
  /** The URI of a key in it, through the double's module. */
  readonly uri: (object: string) => string
  discard(): void
}

/** Makes it in a directory of its own, named after whose it is. */
export async function createTokenBehindDouble(name: string): Promise<TokenBehindDouble> {
  const place = await createPrivateDirectory(name)
  const pin = '86420'
  const dir = join(place, 'token')
  const token = await createToken({ dir, label: 'authority', pin, soPin: '86428642' })
  mkdirSync(join(place, 'double'))
  const double = await createPkcs11Double(join(place, 'double'), token.modulePath)
  const pinFile = join(place, 'pin')
  await writeFile(pinFile, `${pin}\n`, { mode: 0o600 })
  const attributes = `module-path=${double.modulePath}&pin-source=${pinFile}`
  return {
    environment: token.environment,
    double,
    pin,
    uri: object => `pkcs11:token=authority;object=${object}?${attributes}`,
    discard: () => discardDirectory(place),
  }
}
