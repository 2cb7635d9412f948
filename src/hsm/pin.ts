import { open, type FileHandle } from 'node:fs/promises'
import { Pkcs11Error } from './pkcs11-error.ts'

const longestPin = 256

/**
 * Reads a PIN from a file that nobody else may read; a line end after it is not part of it.
 *
 * @throws Pkcs11Error `pkcs11-pin-absent`, `pkcs11-pin-exposed`
 */
export async function loadPin(path: string): Promise<string> {
  const file = await openPin(path)
  try {
    const { mode, size } = await file.stat()
    if ((mode & 0o077) !== 0) {
      const rights = (mode & 0o777).toString(8).padStart(4, '0')
      throw new Pkcs11Error('pkcs11-pin-exposed', {
        expected: 'mode 0600',
        found: `${path}, mode ${rights}`,
      })
    }
    const pin = size > longestPin ? '' : (await file.readFile('utf8')).replace(/\r?\n$/, '')
    if (pin === '')
      throw new Pkcs11Error('pkcs11-pin-absent', { expected: 'one line with the PIN', found: path })
    return pin
  } finally {
    await file.close()
  }
}

async function openPin(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (cause) {
    throw new Pkcs11Error('pkcs11-pin-absent', { found: path, cause })
  }
}
