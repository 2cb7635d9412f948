import { X509Certificate } from 'node:crypto'
import { decodeBase64url, encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { encodeCertificateId } from '../../src/core/issuance/certificate-id.ts'
import { parseCertificate } from '../../src/core/x509/certificate.ts'
import { proveRenewal, type AnswerEdit } from '../../swtpm/emulated/answer.ts'
import type { TestAnswer, TestApi } from './test-api.ts'
import { call } from './test-caller.ts'
import { encodeBytes, type TestAgent, type TestHost } from './test-host.ts'

/** Whoever has a certificate to renew. */
export type Holder = TestHost | TestAgent

/** What is particular about a renewal. */
export interface RenewalOptions {
  readonly edit?: AnswerEdit
  /** The certificate that it replaces, as {@link certificateIdOf} names it. */
  readonly replaces?: string
}

/** The path of a holder, with what follows. */
export function pathOf(holder: Holder, ...rest: readonly string[]): string {
  return ['/v1', 'host' in holder ? 'agents' : 'hosts', holder.id, ...rest].join('/')
}

/** Asks for a challenge and answers it; gives the body of the renewal. */
export async function renewalBody(
  api: TestApi,
  holder: Holder,
  { edit, replaces }: RenewalOptions = {},
): Promise<{ csr: string; renewal: Record<string, unknown> }> {
  const asked = await call(api, holder, 'POST', pathOf(holder, 'renewal-challenge'))
  if (asked.status !== 201) throw new Error(`no challenge: ${asked.text}`)
  const { id, nonce, audience } = asked.json as { id: string; nonce: string; audience: string }
  const tpm = 'host' in holder ? holder.host.tpm : holder.tpm
  const challenge = { nonce: decodeBase64url(nonce), audience }
  const { csr, subjectKey } = proveRenewal(tpm, holder, challenge, edit)
  const named = replaces === undefined ? {} : { replaces }
  const renewal = { challenge: id, subjectKey: encodeBytes(subjectKey), ...named }
  return { csr: encodeBase64url(csr), renewal }
}

/** Renews a holder's certificate, challenge and all. */
export async function renew(
  api: TestApi,
  holder: Holder,
  options?: RenewalOptions,
): Promise<TestAnswer> {
  const body = await renewalBody(api, holder, options)
  return await call(api, holder, 'POST', pathOf(holder, 'credentials'), body)
}

/** Identifies the certificate of an answer. */
export function certificateIdOf({ json }: TestAnswer): string {
  const [leaf = ''] = json['certificateChain'] as string[]
  const { serialNumber, extensions } = parseCertificate(new X509Certificate(leaf).raw).fields
  const keyIdentifier = extensions.authorityKeyIdentifier?.keyIdentifier ?? new Uint8Array()
  return encodeCertificateId({ keyIdentifier, serial: serialNumber })
}
