import { createPublicKey, X509Certificate } from 'node:crypto'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { Home } from '../../src/attester/home.ts'
import { ServiceClient } from '../../src/attester/service-client.ts'
import type { PublicJwk } from '../../src/core/jose/jwk.ts'
import { tokenAlgorithm, verifyAccessToken } from '../../src/core/token/access-token.ts'
import { verifyDpopProof } from '../../src/core/token/dpop-proof.ts'
import { ProofKeys } from '../../src/core/token/proof-key.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { startProxy } from '../../swtpm/tpm-proxy.ts'
import { createStage } from './cli-fixtures.ts'

const bench = await startTestBench({ endorsementKeys: ['ecc-p256'] })
const stage = await createStage({ ASSAY_TCTI: bench.tcti })
const { assay, directory, done, issuer } = stage
const audience = 'https://tickets.example'

const made = await assay(['init', '--issuer', issuer, '--allow-emulated', '--key', 'tpm', '--json'])
const fingerprint = String((made.json() as Record<string, unknown>)['fingerprint'])
await stage.serve()
const anchorFile = join(directory, 'root.pem')
await writeFile(anchorFile, bench.manufacturer.rootCertificate)

test.after.always(async () => {
  await stage.close()
  await bench.stop()
})

let hostId = ''
let agentId = ''

test.serial('an operator’s key can live in the TPM', async t => {
  t.is(made.status, 0, made.stderr)
  t.like(made.json(), { operator: { keyProtection: 'tpm' } })
  const file = await readFile(join(directory, 'operator', 'operator.key.pem'), 'utf8')
  t.regex(file, /^-----BEGIN TSS2 PRIVATE KEY-----/)
  const labels = ['--name', 'throwaway', '--vendor', 'id:00001014', '--assurance', 'emulated']
  const added = await assay(['anchor', 'add', anchorFile, ...labels])
  t.is(added.status, 0, added.stderr)
})

test.serial('a host is not enrolled with a service of another fingerprint', async t => {
  const other = `sha256:${'0'.repeat(64)}`
  const refused = await assay(['host', 'enroll', issuer, '--fingerprint', other], { home: 'host' })
  t.is(refused.status, 1)
  t.is(refused.code, 'service-fingerprint')
})

test.serial('a machine without TPM is told so', async t => {
  const tcti = ['--tcti', 'device:/dev/no-tpm-here']
  const command = ['host', 'enroll', issuer, '--fingerprint', fingerprint, ...tcti]
  const refused = await assay(command, { home: 'host' })
  t.is(refused.status, 1)
  t.is(refused.code, 'tpm-absent')
})

test.serial('this machine enrols, and its operator sees it', async t => {
  const command = ['host', 'enroll', issuer, '--fingerprint', fingerprint, '--name', 'web-1']
  const enrolled = await done('host', ...command)
  hostId = String(enrolled['id'])
  t.like(enrolled, { name: 'web-1', attestationResult: { status: 'affirming' } })
  t.regex(String(enrolled['spiffeId']), /^spiffe:\/\/localhost\/host\//)
  const listed = await assay(['host', 'list'])
  t.regex(listed.stdout, new RegExp(`^${hostId} +web-1 +active +emulated`, 'm'))
  const shown = await assay(['host', 'show', hostId])
  t.is(shown.status, 0, shown.stderr)
  t.regex(shown.stdout, /^status: +active/m)
  t.regex(shown.stdout, /\d+ of \d+ passed/)
  t.like(await done('operator', 'host', 'show', hostId), { id: hostId, status: 'active' })
  const explained = await assay(['host', 'explain', hostId])
  t.is(explained.status, 0, explained.stderr)
  t.regex(explained.stdout, /^affirming: /)
})

test.serial('a host that knows its service attests anew without being told it', async t => {
  const again = await done('host', 'host', 'enroll', '--name', 'web-1')
  t.is(again['id'], hostId)
  const text = await assay(['host', 'enroll', '--name', 'web-1'], { home: 'host' })
  t.regex(text.stdout, /This machine is enrolled/)
  const elsewhere = await assay(['host', 'enroll', 'https://b.example'], { home: 'host' })
  t.is(elsewhere.status, 2)
})

test.serial('a host renews its certificate for the key that it has', async t => {
  const file = join(directory, 'host', 'host.pem')
  const before = new X509Certificate(await readFile(file, 'utf8'))
  const renewed = await done('host', 'host', 'renew')
  t.is(renewed['certificateFile'], file)
  const after = new X509Certificate(await readFile(file, 'utf8'))
  t.not(after.serialNumber, before.serialNumber)
  t.true(after.publicKey.equals(before.publicKey))
})

test.serial('no agent is created of a class that nobody registered', async t => {
  const refused = await assay(['agent', 'create', '--class', 'helper'], { home: 'host' })
  t.is(refused.status, 1)
  t.is(refused.code, 'class-unknown')
  const form = ['--audience', audience, '--scope', 'tickets:read', '--host', hostId]
  await done('operator', 'class', 'register', 'helper', ...form)
})

test.serial('an agent is created on the host, and listed on both sides', async t => {
  const created = await done('host', 'agent', 'create', '--class', 'helper')
  agentId = String(created['id'])
  t.is(created['spiffeId'], `spiffe://localhost/agent/helper/${agentId}`)
  t.regex(
    (await assay(['agent', 'list'])).stdout,
    new RegExp(`^${agentId} +helper +${hostId} +active`, 'm'),
  )
  const local = await done('host', 'agent', 'list', '--local')
  t.like(local, { agents: [{ id: agentId, className: 'helper' }] })
})

/** Verifies a token and its proof as a protected API does. */
async function admit(token: string, proof: string, method: string, url: string): Promise<string> {
  const service = await (await Home.open(join(directory, 'host'))).loadService()
  const client = ServiceClient.create({ issuer, trust: { root: service.root } })
  const { keys } = (await client.request('GET', '/oauth/jwks')) as {
    keys: (PublicJwk & { kid: string })[]
  }
  await client.close()
  const now = Date.now()
  const verified = verifyAccessToken(token, {
    issuer,
    audience,
    now,
    keys: keys.map(({ kid, ...jwk }) => ({
      kid,
      key: createPublicKey({ key: jwk, format: 'jwk' }),
      algorithm: tokenAlgorithm('ES256'),
    })),
  })
  const expected = { method, url, now, accessToken: token }
  const { key } = verifyDpopProof(proof, new ProofKeys(1), expected)
  verified.requireProofKey(key.jkt)
  return verified.claims.scope
}

test.serial('a token is printed alone, and with a proof as the headers of one request', async t => {
  const plain = await assay(['agent', 'token', agentId], { home: 'host' })
  t.is(plain.status, 0, plain.stderr)
  t.regex(plain.stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  t.is(plain.stderr, '')
  const url = `${audience}/tickets`
  const headers = await assay(['agent', 'token', '--proof', 'get', `${url}?id=1`], { home: 'host' })
  const [, token = '', proof = ''] =
    /^Authorization: DPoP (\S+)\nDPoP: (\S+)\n$/.exec(headers.stdout) ?? []
  t.is(await admit(token, proof, 'GET', url), 'tickets:read')
  await t.throwsAsync(admit(token, proof, 'POST', url), { code: 'dpop-method' })
})

/** TPM_CC_Sign: TPM 2.0 Part 2 r01.59 §6.5.2. */
const signCommand = 0x0000_015d

test.serial('a token costs the TPM one signature, once the client attestation is kept', async t => {
  let signatures = 0
  const proxy = await startProxy({
    target: bench.socketPath,
    path: join(directory, 'tpm'),
    observe: command => (signatures += command.readUInt32BE(6) === signCommand ? 1 : 0),
  })
  t.teardown(async () => await proxy.stop())
  const fetchOne = async (): Promise<number> => {
    signatures = 0
    const options = { home: 'host', env: { ASSAY_TCTI: proxy.tcti } }
    const token = await assay(['agent', 'token', agentId], options)
    t.is(token.status, 0, token.stderr)
    return signatures
  }
  const file = join(directory, 'host', 'agents', `${agentId}.attestation.jwt`)
  const kept = await readFile(file, 'utf8')
  t.is((await stat(file)).mode & 0o777, 0o600)
  t.is(await fetchOne(), 1)
  t.is(await readFile(file, 'utf8'), kept)
  await rm(file)
  // By its proof it gets a token of the service’s own API, with that the attestation, and with that the token.
  t.is(await fetchOne(), 3)
  t.is(payloadOf(await readFile(file, 'utf8'))['iss'], issuer)
})

const payloadOf = (jwt: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >

test.serial('SVIDs and client attestations are printed alone, each for whom it is', async t => {
  const jwt = await assay(['agent', 'svid', '--audience', audience], { home: 'host' })
  t.is(jwt.status, 0, jwt.stderr)
  const { sub } = payloadOf(jwt.stdout)
  t.regex(String(sub), new RegExp(`^spiffe://.*/${agentId}$`))
  t.deepEqual([payloadOf(jwt.stdout)['aud']].flat(), [audience])
  const wit = await assay(['agent', 'svid', '--wit'], { home: 'host' })
  t.like(payloadOf(wit.stdout), { sub, aud: undefined })
  t.truthy((payloadOf(wit.stdout)['cnf'] as { jwk?: unknown }).jwk)
  const attested = await done('host', 'agent', 'attestation', agentId)
  t.is(payloadOf(String(attested['clientAttestation']))['sub'], sub)
  const unclear = await assay(['agent', 'svid'], { home: 'host' })
  t.is(unclear.code, 'usage-contradiction')
  const other = await assay(['agent', 'svid', '--audience', 'https://b.example'], { home: 'host' })
  t.is(other.code, 'audience-not-permitted')
  const stranger = ['agent', 'attestation', '--client-id', 'somebody-else']
  t.is((await assay(stranger, { home: 'host' })).code, 'client-id-not-permitted')
})

test.serial('a token is asked for by resource and scope, and refused beyond the class', async t => {
  const asked = ['--resource', audience, '--scope', 'tickets:read']
  const answer = await done('host', 'agent', 'token', agentId, ...asked)
  t.like(answer, { agent: agentId, token_type: 'DPoP', expires_in: 300, scope: 'tickets:read' })
  const scope = await assay(['agent', 'token', '--scope', 'tickets:write'], { home: 'host' })
  t.is(scope.status, 1)
  t.is(scope.code, 'invalid_scope')
  const target = await assay(['agent', 'token', '--resource', 'https://b.example'], {
    home: 'host',
  })
  t.is(target.code, 'invalid_target')
})

test.serial('with several agents on a host the one that is meant has to be named', async t => {
  const second = String((await done('host', 'agent', 'create', '--class', 'helper'))['id'])
  const unclear = await assay(['agent', 'token'], { home: 'host' })
  t.is(unclear.status, 1)
  t.is(unclear.code, 'agent-unclear')
  const foreign = await assay(['agent', 'token', 'AAAAAAAAAAAAAAAAAAAAAA'], { home: 'host' })
  t.is(foreign.code, 'agent-not-local')
  await done('operator', 'agent', 'revoke', second, '--reason', 'not needed')
  const revoked = await assay(['agent', 'token', second], { home: 'host' })
  t.is(revoked.status, 1)
  t.truthy(revoked.code)
  t.is((await assay(['agent', 'token', agentId], { home: 'host' })).status, 0)
})

test.serial('an agent renews for its key, and gets a new one with --rekey', async t => {
  const file = join(directory, 'host', 'agents', `${agentId}.pem`)
  const key = async (): Promise<string> =>
    new X509Certificate(await readFile(file, 'utf8')).publicKey
      .export({ format: 'der', type: 'spki' })
      .toString('hex')
  const first = await key()
  const renewed = await done('host', 'agent', 'renew', agentId)
  t.is(renewed['id'], agentId)
  t.is(await key(), first)
  await done('host', 'agent', 'renew', agentId, '--rekey')
  t.not(await key(), first)
  t.is((await assay(['agent', 'token', agentId], { home: 'host' })).status, 0)
})

test.serial('revoking the host takes its agents with it, in one call', async t => {
  const revoked = await done('operator', 'host', 'revoke', hostId, '--reason', 'stolen')
  t.like(revoked, { id: hostId, agents: 1 })
  const token = await assay(['agent', 'token', agentId, '--json'], { home: 'host' })
  t.is(token.status, 1)
  t.is(token.code, 'host-revoked')
  const enrol = await assay(['host', 'enroll'], { home: 'host' })
  t.is(enrol.status, 1)
  t.is(enrol.code, 'host-revoked')
  t.regex((await assay(['host', 'list'])).stdout, new RegExp(`^${hostId} +web-1 +revoked`, 'm'))
})

test.serial('refused evidence shows the checks that ran and the one that failed', async t => {
  const other = await startTestBench({ endorsementKeys: ['ecc-p256'] })
  t.teardown(async () => await other.stop())
  const command = ['host', 'enroll', issuer, '--fingerprint', fingerprint]
  const options = { home: 'stranger', env: { ASSAY_TCTI: other.tcti } }
  const refused = await assay(command, options)
  t.is(refused.status, 1)
  t.regex(refused.stderr, /^ {4}FAILED {2}/m)
  const document = (await assay([...command, '--json'], options)).json() as unknown as {
    error: { code: string; checks: { code: string; outcome: string }[] }
  }
  t.is(document.error.code, refused.code ?? '')
  t.like(document.error.checks.at(-1), { code: document.error.code, outcome: 'fail' })
})

test.serial(
  'a TPM without certificate waits until an operator has compared its digest',
  async t => {
    const other = await startTestBench()
    t.teardown(async () => await other.stop())
    const command = ['host', 'enroll', issuer, '--fingerprint', fingerprint, '--no-certificate']
    const options = { home: 'bare', env: { ASSAY_TCTI: other.tcti } }
    const waiting = await assay(command, options)
    t.is(waiting.status, 1)
    t.regex(waiting.stderr, /endorsement-pending: /)
    const [digest = ''] = /(?<=has the digest )[0-9a-f]{64}/.exec(waiting.stderr) ?? []
    const listed = await assay(['endorsement', 'list'])
    const [, id = ''] = /^(\S+) +pending /m.exec(listed.stdout) ?? []
    t.not(id, '', listed.stdout)
    const blind = ['endorsement', 'approve', id, '--digest', '0'.repeat(64)]
    t.is((await assay(blind)).code, 'endorsement-differs')
    const approved = await assay(['endorsement', 'approve', id, '--digest', digest, '--json'])
    t.is(approved.status, 0, approved.stderr)
    t.like(approved.json(), { id, status: 'approved' })
    t.is((await assay(['endorsement', 'refuse', id])).status, 0)
    t.is((await assay(command, options)).status, 1)
    const again = await assay(['endorsement', 'add', digest])
    t.is(again.status, 0, again.stderr)
    const enrolled = await assay(command, options)
    t.regex(enrolled.stderr, /^The endorsement key of this TPM has the digest [0-9a-f]{64}$/m)
    // Listed, the key is genuine as far as an operator says; whether that is enough is for the policy.
    t.is(enrolled.status, 1)
    t.is(enrolled.code, 'attestation-contraindicated')
    t.regex(enrolled.stderr, /^ {4}decided by {2}assurance$/m)
  },
)

test.serial('what happened stands in the log, which holds', async t => {
  t.like(await done('operator', 'audit', 'verify'), { keySource: 'pinned' })
  const shown = (await done('operator', 'audit', 'show', '--subject', hostId)) as unknown as {
    entries: { type: string }[]
  }
  const types = shown.entries.map(({ type }) => type)
  t.true(types.includes('host.enrolled') && types.includes('host.revoked'), types.join(' '))
})
