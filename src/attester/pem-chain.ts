import { X509Certificate } from 'node:crypto'
import { HomeError } from './home-error.ts'

/**
 * Reads the certificates of a file, as they stand in it.
 *
 * @param path of the file, for messages
 * @throws HomeError `home-malformed`
 */
export function parsePemChain(path: string, text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  try {
    return blocks.map(block => new X509Certificate(block))
  } catch (cause) {
    throw new HomeError('home-malformed', { found: path, cause })
  }
}
