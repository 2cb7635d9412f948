import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { decodePem, decodePemBundle } from '../../src/attester/pem.ts'
import { verifyAuthorityRequest } from '../../src/core/ceremony/requested-key.ts'
import { runCli, scratch, type Ran } from './run-cli.ts'

type Script = Record<string, unknown>

/** A second of this machine's time, so many days from now, as a ceremony file writes it. */
export function dayFromNow(days: number): string {
  return new Date(Math.floor(Date.now() / 1000) * 1000 + days * 86_400_000)
    .toISOString()
    .replace('.000Z', 'Z')
}

const times: Script = {
  notBefore: dayFromNow(-1),
  notAfter: dayFromNow(300),
  thisUpdate: dayFromNow(-0.5),
  nextUpdate: dayFromNow(100),
}

/** The example of a kind in `ca/ceremony`, with times around now and other members replaced; undefined takes one away. */
export function exampleOf(kind: string, changes: Script = {}): Script {
  const path = new URL(`../../ca/ceremony/${kind}.json`, import.meta.url)
  const script = JSON.parse(readFileSync(path, 'utf8')) as Script
  const rows = script['revoked'] as Script[] | undefined
  const timed = Object.fromEntries(
    Object.entries({
      ...script,
      ...(rows && { revoked: rows.map(row => ({ ...row, revokedAt: dayFromNow(-1) })) }),
    }).map(([name, value]) => [name, times[name] ?? value]),
  )
  const whole = { ...timed, ...changes }
  return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined))
}

/** The digest that stands in the examples for one that people compare. */
const unreviewed = '0'.repeat(64)

/** An issuer whose certificate is reviewed as it lies in the room. */
export function issuerOf(certificate: string, key: Script): Script {
  return { certificate, sha256: unreviewed, key }
}

/** The digest of the first certificate in a file. */
export function firstSha256(pem: string): string {
  const [first = new Uint8Array()] = decodePemBundle(pem, ['CERTIFICATE'])
  return createHash('sha256').update(first).digest('hex')
}

/** The script with the digest of the issuer that lies there, in the place of the example's. */
function review(script: Script, path: (name: string) => string): Script {
  const issuer = script['issuer'] as { certificate: string; sha256?: string } | undefined
  if (issuer?.sha256 !== unreviewed || !existsSync(path(issuer.certificate))) return script
  const sha256 = firstSha256(readFileSync(path(issuer.certificate), 'latin1'))
  return { ...script, issuer: { ...issuer, sha256 } }
}

/** A room in which ceremonies are held. */
export interface CeremonyStage {
  readonly folder: string
  readonly path: (name: string) => string
  readonly read: (name: string) => string
  /** Holds a ceremony that has to succeed; gives what `--json` printed. */
  readonly hold: (kind: string, changes?: Script, ...options: string[]) => Promise<Script>
  /** Runs the command over any text; in a script the issuer that lies there stands for the example's. */
  readonly run: (script: Script | string, ...options: string[]) => Promise<Ran>
  readonly openssl: (...args: readonly string[]) => string
}

export async function createCeremonyStage(t: ExecutionContext): Promise<CeremonyStage> {
  const folder = await scratch(t)
  const path = (name: string): string => join(folder, name)
  let count = 0
  const run: CeremonyStage['run'] = async (script, ...options) => {
    count += 1
    const file = path(`ceremony-${count}.json`)
    const text = typeof script === 'string' ? script : JSON.stringify(review(script, path))
    writeFileSync(file, text)
    return await runCli(['ca', 'ceremony', file, '--json', ...options])
  }
  return {
    folder,
    path,
    read: name => readFileSync(path(name), 'utf8'),
    run,
    hold: async (kind, changes, ...options) => {
      const ran = await run(exampleOf(kind, changes), ...options)
      t.is(ran.status, 0, ran.stderr)
      return ran.json() as Script
    },
    openssl: (...args) =>
      execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' }),
  }
}

/** What an intermediate's file says of a request. */
export function requestOf(stage: CeremonyStage, file: string): { file: string; keySha256: string } {
  const request = decodePem(stage.read(file), ['CERTIFICATE REQUEST']) ?? new Uint8Array()
  const { spki } = verifyAuthorityRequest(request)
  return { file, keySha256: createHash('sha256').update(spki).digest('hex') }
}

/** Root, request and intermediate, as the examples make them. */
export async function holdHierarchy(stage: CeremonyStage): Promise<void> {
  await stage.hold('root')
  await stage.hold('request')
  await stage.hold('intermediate', { request: requestOf(stage, 'issuing.csr') })
}

/** The code of the failure that `--json` printed. */
export function codeOf(ran: { readonly json: () => unknown }): string {
  return (ran.json() as { error: { code: string } }).error.code
}
