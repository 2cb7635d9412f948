import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import { shardOf } from '../../src/core/revocation/location.ts'
import { parseCertificate } from '../../src/core/x509/certificate.ts'
import { refreshCertificateLists } from '../../src/services/certificate-lists.ts'
import { pem } from '../../src/services/view.ts'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, type TestCaller } from '../support/test-caller.ts'
import { admitManufacturer, enrollHost, type TestHost } from '../support/test-host.ts'

const run = promisify(execFile)

/** A service with one host, and the host's certificate. */
export interface Scene {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly host: TestHost
  /** PEM of a host's certificate, and its serial number. */
  readonly leaf: string
  readonly serial: string
  readonly authorityId: string
  readonly chain: readonly Uint8Array[]
}

export async function begin(
  t: ExecutionContext,
  changes: Parameters<typeof startTestApi>[1] = {},
): Promise<Scene> {
  const api = await startTestApi(t, changes)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const [leaf = ''] = host.enrolled.json['certificateChain'] as string[]
  const { id, chain } = api.service.authorities.active()
  await refreshCertificateLists(api.service)
  await api.service.ocsp.refresh(api.service)
  return { api, operator, host, leaf, serial: serialOf(leaf), authorityId: id, chain }
}

export function derOf(leaf: string): Uint8Array {
  return Buffer.from(leaf.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
}

export function serialOf(leaf: string): string {
  return Buffer.from(parseCertificate(derOf(leaf)).fields.serialNumber).toString('hex')
}

export async function revokeLeaf({ api, operator, serial }: Scene): Promise<TestAnswer> {
  const body = { reason: 'key was seen elsewhere', reasonCode: 'keyCompromise' }
  const answer = await call(api, operator, 'POST', `/v1/certificates/${serial}/revoke`, body)
  await refreshCertificateLists(api.service)
  return answer
}

export async function fetchList(scene: Scene, shard = shardOf(scene.serial)): Promise<TestAnswer> {
  const path = `/crl/${scene.authorityId}/${shard}`
  return await scene.api.send({ method: 'GET', path })
}

export const listPem = (bytes: Uint8Array): string =>
  pem(bytes).replaceAll('CERTIFICATE-----', 'X509 CRL-----')

/** Runs openssl over files; gives what it printed, its exit code, and where it ran. */
export async function openssl(
  t: ExecutionContext,
  files: Readonly<Record<string, string | Uint8Array>>,
  ...args: readonly string[]
): Promise<{ code: number; text: string; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-status-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  try {
    const { stdout, stderr } = await run('openssl', args, { cwd: folder })
    return { code: 0, text: stdout + stderr, folder }
  } catch (cause) {
    const { code, stdout, stderr } = cause as { code: number; stdout: string; stderr: string }
    return { code, text: stdout + stderr, folder }
  }
}
