import { open } from 'node:fs/promises'
import { Tpm, Tpm2Error } from '../../native/index.ts'
import { AttesterError, type AttesterErrorCode } from './error.ts'

/** What the kernel says of a device that cannot be opened. */
const reasons: Readonly<Record<string, AttesterErrorCode>> = {
  ENOENT: 'tpm-absent',
  ENODEV: 'tpm-absent',
  ENXIO: 'tpm-absent',
  EACCES: 'tpm-forbidden',
  EPERM: 'tpm-forbidden',
  EBUSY: 'tpm-occupied',
}

/**
 * Opens a connection to the TPM of this machine, and says what is wrong where that cannot be done.
 *
 * @param tcti the string of the TCTI loader, such as `device:/dev/tpmrm0` or `swtpm:path=…`
 * @throws AttesterError `tpm-absent`, `tpm-forbidden`, `tpm-occupied`; Tpm2Error `tpm-unreachable`
 */
export async function openTpm(tcti: string): Promise<Tpm> {
  try {
    return await Tpm.open(tcti)
  } catch (cause) {
    throw await explain(tcti, cause)
  }
}

async function explain(tcti: string, cause: unknown): Promise<unknown> {
  if (!(cause instanceof Tpm2Error) || cause.code !== 'tpm-unreachable') return cause
  const [, path] = /^device:(.+)$/.exec(tcti) ?? []
  const code = path === undefined ? 'tpm-absent' : reasons[await openingError(path)]
  return code === undefined
    ? cause
    : new AttesterError(code, { expected: tcti, found: cause.text, cause })
}

/** The errno by which a device refuses to be opened; empty where it does not. */
async function openingError(path: string): Promise<string> {
  try {
    await (await open(path, 'r+')).close()
    return ''
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? ''
  }
}
