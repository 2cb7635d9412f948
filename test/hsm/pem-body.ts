/** What stands between the lines of a PEM text. */
export function parsePemBody(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[A-Z ]+-----/g, ''), 'base64')
}
