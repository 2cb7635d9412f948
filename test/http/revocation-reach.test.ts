import test, { type ExecutionContext } from 'ava'
import { shardOf } from '../../src/core/revocation/location.ts'
import { revocationReasons } from '../../src/core/status/revocation-reason.ts'
import { parseCertificateList } from '../../src/core/x509/crl.ts'
import { parseCertificate } from '../../src/core/x509/certificate.ts'
import { parseOcspResponse } from '../../src/core/x509/ocsp.ts'
import { encodeOcspQuestion } from '../../src/core/x509/ocsp-question.ts'
import { answerOcsp } from '../../src/services/ocsp.ts'
import { refreshCertificateLists } from '../../src/services/certificate-lists.ts'
import { verifyTestLog } from '../support/test-api.ts'
import { askForToken, call } from '../support/test-caller.ts'
import { introspect, readPlace, statusOf } from '../support/token-standing.ts'
import { derOf } from './certificate-fixtures.ts'
import { beginParties, kinds, type Parties, type Party } from './revocation-fixtures.ts'
import { listen } from './stream-fixtures.ts'

/** What each place where a relying party may look says of a certificate: its reason code, or that it is good. */
async function toldOf({ api }: Parties, leaf: string): Promise<(number | 'good')[]> {
  const { id, chain } = api.service.authorities.active()
  const certificate = parseCertificate(derOf(leaf))
  const [issuer = new Uint8Array()] = chain
  const question = encodeOcspQuestion(certificate, parseCertificate(issuer))
  const { bytes } = await answerOcsp(api.service, id, question, () => undefined)
  const [single] = parseOcspResponse(bytes).responses
  const serial = Buffer.from(certificate.fields.serialNumber).toString('hex')
  const list = await api.send({ method: 'GET', path: `/crl/${id}/${shardOf(serial)}` })
  return [
    single?.status === 'revoked' ? single.reason : 'good',
    parseCertificateList(list.bytes).revoked.get(serial) ?? 'good',
  ]
}

const leafIn = (json: Readonly<Record<string, unknown>>): string =>
  (json['certificateChain'] as string[])[0] ?? ''

/** Certificate, token, and everything that tells of them. */
async function assertStanding(
  t: ExecutionContext,
  parties: Parties,
  who: { readonly leaf: string; readonly serial: string; readonly token: string },
  reasonCode: string | undefined,
): Promise<void> {
  const { api, operator } = parties
  const reason = reasonCode && revocationReasons[reasonCode as keyof typeof revocationReasons]
  t.deepEqual(
    await toldOf(parties, who.leaf),
    reason === undefined ? ['good', 'good'] : [reason, reason],
  )
  const { json } = await call(api, operator, 'GET', `/v1/certificates/${who.serial}`)
  t.is(json['status'], reasonCode === undefined ? 'issued' : 'revoked')
  t.is(json['revocationReason'], reasonCode ?? null)
  t.is(await statusOf(api, who.token), reasonCode === undefined ? 0 : 1)
  t.is((await introspect(api, operator, who.token)).json['active'], reasonCode === undefined)
}

async function assertParty(
  t: ExecutionContext,
  parties: Parties,
  { host, agent, serials, tokens }: Party,
  reasons: { readonly host: string | undefined; readonly agent: string | undefined },
): Promise<void> {
  const [ofHost, ofAgent] = [leafIn(host.enrolled.json), leafIn(agent.issued.json)]
  const asHost = { leaf: ofHost, serial: serials.host, token: tokens.host }
  await assertStanding(t, parties, asHost, reasons.host)
  const asAgent = { leaf: ofAgent, serial: serials.agent, token: tokens.agent }
  await assertStanding(t, parties, asAgent, reasons.agent)
}

for (const { kind, label, isHosts, code, reasonCode, target: targetOf } of kinds)
  test(`one call takes back ${label}, certificates and tokens, wherever they are told of, and nothing beside`, async t => {
    const parties = await beginParties(t)
    const { api, operator, target, other } = parties
    await api.service.ocsp.refresh(api.service)
    const good = { host: undefined, agent: undefined }
    await refreshCertificateLists(api.service)
    await assertParty(t, parties, target, good)
    const stream = await listen(t, api, operator)
    const body = {
      target: { kind, ...(await targetOf(target, api)) },
      reason: `seen in ${kind}`,
    }
    const revoked = await call(api, operator, 'POST', '/v1/revocations', body)
    t.is(revoked.status, 200, revoked.text)
    t.like(revoked.json, { reasonCode, isAlready: false, hosts: isHosts ? 1 : 0, agents: 1 })
    await refreshCertificateLists(api.service)
    const fallen = { host: isHosts ? reasonCode : undefined, agent: reasonCode }
    await assertParty(t, parties, target, fallen)
    await assertParty(t, parties, other, good)
    const serials = [...(isHosts ? [target.serials.host] : []), target.serials.agent]
    const told = await stream.next()
    t.like(told, { type: 'revocation', data: { kind, reasonCode, isLast: true } })
    const { certificates, tokens, agents } = told === 'end' ? {} : (told.data as Told)
    t.deepEqual(certificates?.toSorted(), serials.toSorted())
    t.deepEqual(agents, [target.agent.clientId])
    const jtis = tokens?.map(({ jti }) => jti) ?? []
    t.true(jtis.includes(readPlace(target.tokens.agent).jti))
    t.is(jtis.includes(readPlace(target.tokens.host).jti), isHosts)
    await assertLog(t, parties, kind, { serials, jtis, reasonCode })
    t.is((await askForToken(api, target.agent.key)).json['code'], code)
    t.is((await askForToken(api, target.host.key)).status, isHosts ? 401 : 200)
    t.is((await askForToken(api, other.agent.key)).status, 200)
  })

interface Told {
  readonly certificates?: readonly string[]
  readonly tokens?: readonly { readonly jti: string }[]
  readonly agents?: readonly string[]
}

/** The act is one entry of the log, by whom and why, and names what fell with it. */
async function assertLog(
  t: ExecutionContext,
  { api, operator }: Parties,
  kind: string,
  fell: {
    readonly serials: readonly string[]
    readonly jtis: readonly string[]
    readonly reasonCode: string
  },
): Promise<void> {
  const lines = (await verifyTestLog(api.service)).filter(({ type }) => type === `${kind}.revoked`)
  t.is(lines.length, 1)
  const [{ actor, detail } = { actor: '', detail: {} }] = lines
  t.is(actor, operator.clientId)
  t.like(detail, { reason: `seen in ${kind}`, reasonCode: fell.reasonCode })
  const { certificates, tokens } = (detail as { fallen: Record<string, string[]> }).fallen
  t.deepEqual(certificates?.toSorted(), fell.serials.toSorted())
  t.deepEqual(tokens?.toSorted(), fell.jtis.toSorted())
}
