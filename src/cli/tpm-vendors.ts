import { readFile } from 'node:fs/promises'

/** A maker of TPMs as the vendor collection names its folder. */
export interface TpmVendor {
  readonly folders: readonly string[]
  readonly name: string
  /** TCG Vendor ID Registry v1.06, as `id:49465800`. */
  readonly id: string
  readonly assurance: string
}

/** The table of makers, `ca/tpm-vendors.json`: data that operators review. */
export async function loadTpmVendors(): Promise<readonly TpmVendor[]> {
  const path = new URL('../../ca/tpm-vendors.json', import.meta.url)
  const { vendors } = JSON.parse(await readFile(path, 'utf8')) as { vendors: TpmVendor[] }
  return vendors
}
