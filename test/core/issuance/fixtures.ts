import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { jwsAlgorithms } from '../../../src/core/jose/algorithm.ts'
import { sealHsmKey, type VerifiedHsmKey } from '../../../src/core/formats/hsm/verified.ts'
import { CheckRecorder } from '../../../src/core/verifier/check.ts'
import type { ProofKey } from '../../../src/core/token/proof-key.ts'
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

/** The kind of key that may stand in a certificate, of whatever key: sealed as a format of HSM keys would. */
export function provenKeyOf(key: TestKey): VerifiedHsmKey {
  const { algorithm } = proofKeyOf(key)
  const token = { manufacturer: 'SoftHSM project', model: 'SoftHSM v2', serial: '1' }
  const spki = key.publicKey.export({ format: 'der', type: 'spki' })
  return sealHsmKey(
    new CheckRecorder(),
    {
      request: { key: key.publicKey, algorithm, spki },
      facts: { token, vendor: 'softhsm', firmware: '2.6', properties: {} },
      level: 'hsm-declared',
      endorsementKind: 'registered',
    },
    { claimed: token },
  )
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
