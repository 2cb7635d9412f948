import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { jwsAlgorithms } from '../../../src/core/jose/algorithm.ts'
import { verifyRenewalRequest, type RenewalKey } from '../../../src/core/issuance/renewal-key.ts'
import type { ProofKey } from '../../../src/core/token/proof-key.ts'
import { certificationRequest } from '../../support/certification-request.ts'
import type { TestKey } from '../../support/compact-jws.ts'

export const now = 1_790_000_000_000
export const hour = 3_600_000
export const trustDomain = 'example.org'
export const spiffeId = `spiffe://${trustDomain}/agent/reader/agent-1`

/** A key as the token layer holds it. */
export function proofKeyOf(key: TestKey): ProofKey {
  const algorithm = jwsAlgorithms.find(row => row.curve === key.jwk.crv)
  if (algorithm === undefined) throw new TypeError('a curve of the table')
  return { jwk: key.jwk, jkt: key.jkt, key: key.publicKey, algorithm }
}

/** A key that has proven itself again: the kind of key that may stand in a certificate. */
export function renewalKeyOf(key: TestKey): RenewalKey {
  const proven = verifyRenewalRequest(certificationRequest(key), proofKeyOf(key))
  if (proven === undefined) throw new TypeError('a request for this key')
  return proven
}

/** DER as PEM. */
export function pemOf(bytes: Uint8Array, label = 'CERTIFICATE'): string {
  const text = Buffer.from(bytes).toString('base64').replaceAll(/.{64}/g, '$&\n')
  return `-----BEGIN ${label}-----\n${text.trimEnd()}\n-----END ${label}-----\n`
}

/** Runs openssl over files that are gone when the test ends; gives what it printed. */
export function openssl(
  t: ExecutionContext,
  files: Readonly<Record<string, string>>,
  ...args: readonly string[]
): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-issuance-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return execFileSync('openssl', args, { cwd: folder, encoding: 'utf8' })
}
