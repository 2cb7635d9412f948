import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'

const command =
  'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=web -addext subjectAltName=DNS:localhost -days 1'

/** A certificate of the web for localhost, its own authority, and its key: files of a folder, made by openssl. */
export function createWebIdentity(folder: string): { certificate: string; key: string } {
  const [certificate, key] = [join(folder, 'web.pem'), join(folder, 'web.key')]
  const files = ['-keyout', key, '-out', certificate]
  execFileSync('openssl', [...command.split(' '), ...files], { stdio: 'ignore' })
  chmodSync(key, 0o600)
  return { certificate, key }
}
