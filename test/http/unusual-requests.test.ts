import { generateKeyPairSync, sign, X509Certificate, type KeyObject } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import * as der from '../../src/core/der/writer.ts'
import { TAG } from '../../src/core/der/tag.ts'
import type { EmulatedKey } from '../../swtpm/emulated/key.ts'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator } from '../support/test-caller.ts'
import {
  admitManufacturer,
  agentEvidenceBody,
  createAgent,
  enrollHost,
  type TestAgent,
} from '../support/test-host.ts'
import { renew } from '../support/test-renewal.ts'

const ecdsaSha256 = der.sequence(der.objectIdentifier('1.2.840.10045.4.3.2'))

/** What is particular about a request; everything else is as a host makes it. */
interface Shape {
  readonly version?: Uint8Array
  readonly spki?: Uint8Array
  readonly attributes?: readonly Uint8Array[]
  readonly identifier?: Uint8Array
  readonly hash?: string
  readonly signer?: KeyObject
  readonly whole?: (parts: readonly [Uint8Array, Uint8Array, Uint8Array]) => Uint8Array
}

function build({ privateKey, publicKey }: EmulatedKey, shape: Shape): Uint8Array {
  const {
    version = der.smallInteger(0),
    spki = publicKey.export({ format: 'der', type: 'spki' }),
    attributes = [der.contextConstructed(0)],
    identifier = ecdsaSha256,
    hash = 'sha256',
    signer = privateKey,
    whole = parts => der.sequence(...parts),
  } = shape
  const signed = der.sequence(version, der.sequence(), spki, ...attributes)
  const signature = sign(hash, signed, signer)
  return whole([signed, identifier, der.bitString(signature)])
}

const spkiOf = (key: KeyObject): Uint8Array => key.export({ format: 'der', type: 'spki' })
const [rsa, wide] = [
  generateKeyPairSync('rsa', { modulusLength: 2048 }),
  generateKeyPairSync('ec', { namedCurve: 'P-384' }),
]
const edwards = generateKeyPairSync('ed25519')

/** The same point, its second coordinate left to be computed (SEC 1 §2.3.3). */
function compressed({ publicKey }: EmulatedKey): Uint8Array {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const isOdd = ((Buffer.from(y, 'base64url').at(-1) ?? 0) & 1) === 1
  const point = Buffer.concat([Buffer.of(isOdd ? 3 : 2), Buffer.from(x, 'base64url')])
  const curve = ['1.2.840.10045.2.1', '1.2.840.10045.3.1.7'].map(der.objectIdentifier)
  return der.sequence(der.sequence(...curve), der.bitString(point))
}

/** An extension request (RFC 2985 §5.4.2) for a CA under another name. */
function askForAuthority(): Uint8Array {
  const basic = der.sequence(
    der.objectIdentifier('2.5.29.19'),
    der.octetString(der.sequence(der.tlv(TAG.boolean, Buffer.of(0xff)))),
  )
  const attribute = der.sequence(
    der.objectIdentifier('1.2.840.113549.1.9.14'),
    der.setOf(der.sequence(basic)),
  )
  return der.contextConstructed(0, attribute)
}

type Row = readonly [
  name: string,
  code: string,
  /** As the check of an agent's first key names it. */
  check: string,
  request: (key: EmulatedKey) => Uint8Array,
]

const malformed = ['csr-malformed', 'csr-unreadable'] as const
const differs = ['renewal-key-differs', 'csr-key-differs'] as const
const algorithm = ['csr-algorithm', 'csr-unreadable'] as const
const unsigned = ['csr-signature', 'csr-unsigned'] as const

const rows: readonly Row[] = [
  ['is one octet', ...malformed, () => Buffer.of(0x30)],
  ['is PEM', ...malformed, key => Buffer.from(`-----BEGIN\n${key.name.length}`)],
  ['is written twice', ...malformed, key => Buffer.concat([build(key, {}), build(key, {})])],
  [
    'has no definite length',
    ...malformed,
    key =>
      build(key, {
        whole: parts => Buffer.concat([Buffer.of(0x30, 0x80), ...parts, Buffer.of(0, 0)]),
      }),
  ],
  ['is of another version', ...malformed, key => build(key, { version: der.smallInteger(1) })],
  [
    'writes its version with a leading zero',
    ...malformed,
    key => build(key, { version: der.tlv(TAG.integer, Buffer.of(0, 0)) }),
  ],
  ['has no attributes', ...malformed, key => build(key, { attributes: [] })],
  [
    'has attributes twice',
    ...malformed,
    key => build(key, { attributes: [der.contextConstructed(0), der.contextConstructed(0)] }),
  ],
  ['has no signature', ...malformed, key => build(key, { whole: ([a, b]) => der.sequence(a, b) })],
  [
    'has a signature of no whole octets',
    ...malformed,
    key =>
      build(key, {
        whole: ([a, b]) => der.sequence(a, b, der.tlv(TAG.bitString, Buffer.of(1, 0xfe))),
      }),
  ],
  [
    'is signed over SHA-1',
    'csr-algorithm',
    'csr-unsigned',
    key =>
      build(key, {
        identifier: der.sequence(der.objectIdentifier('1.2.840.10045.4.1')),
        hash: 'sha1',
      }),
  ],
  [
    'gives its algorithm parameters',
    ...algorithm,
    key =>
      build(key, {
        identifier: der.sequence(der.objectIdentifier('1.2.840.10045.4.3.2'), der.tlv(0x05)),
      }),
  ],
  ['is for an RSA key', ...differs, key => build(key, { spki: spkiOf(rsa.publicKey) })],
  ['is for a key on P-384', ...differs, key => build(key, { spki: spkiOf(wide.publicKey) })],
  ['is for an Edwards key', ...differs, key => build(key, { spki: spkiOf(edwards.publicKey) })],
  ['compresses its point', ...differs, key => build(key, { spki: compressed(key) })],
  ['has an empty key', ...differs, key => build(key, { spki: der.sequence() })],
  ['is signed by another key', ...unsigned, key => build(key, { signer: wide.privateKey })],
  [
    'has a signature of nothing',
    ...unsigned,
    key => build(key, { whole: ([a, b]) => der.sequence(a, b, der.bitString(new Uint8Array())) }),
  ],
]

interface Fleet {
  readonly api: TestApi
  readonly agent: TestAgent
}

async function begin(t: ExecutionContext): Promise<Fleet> {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  const reader = { name: 'reader', audiences: ['https://api.example/'], scopes: [], hosts: ['*'] }
  await call(api, await createOperator(api), 'POST', '/v1/classes', reader)
  const form = { resource: 'https://assay.example' }
  return { api, agent: await createAgent(api, host, 'reader', form) }
}

async function prove({ api, agent }: Fleet, request: Row[3]): Promise<TestAnswer> {
  const { host } = agent
  const asked = await call(api, host, 'POST', `/v1/agents/${agent.id}/challenge`)
  const key = host.tpm.createSubjectKey()
  const edit = { subject: key, request: () => request(key) }
  const { body } = agentEvidenceBody(host.tpm, agent.id, asked.json as never, edit)
  return await call(api, host, 'POST', `/v1/agents/${agent.id}/credentials`, body)
}

test('a request of unusual shape is refused for its reason, to renew and for a new key', async t => {
  const fleet = await begin(t)
  const { api, agent } = fleet
  for (const [name, code, check, request] of rows) {
    const renewed = await renew(api, agent, { edit: { request: () => request(agent.tpmKey) } })
    t.is(renewed.json['code'], code, `renewal: ${name}: ${renewed.text}`)
    t.true(renewed.status < 500, name)
    const proven = await prove(fleet, request)
    t.is(proven.json['code'], check, `new key: ${name}: ${proven.text}`)
    t.true(proven.status < 500, name)
  }
  t.is((await prove(fleet, key => build(key, {}))).status, 201)
})

test('a request that is too long, or none, does not have the form of the call', async t => {
  const { api, agent } = await begin(t)
  for (const request of [new Uint8Array(4097), new Uint8Array()]) {
    const answer = await renew(api, agent, { edit: { request: () => request } })
    t.like(answer, { status: 400, json: { code: 'request-malformed' } }, answer.text)
  }
})

test('what a request asks for beside its key is passed over', async t => {
  const { api, agent } = await begin(t)
  const attributes = [askForAuthority()]
  const edit = { request: () => build(agent.tpmKey, { attributes }) }
  const renewed = await renew(api, agent, { edit })
  t.is(renewed.status, 201, renewed.text)
  const leaf = new X509Certificate((renewed.json['certificateChain'] as string[])[0] ?? '')
  t.false(leaf.ca)
  t.is(leaf.subjectAltName, `URI:${agent.clientId}`)
})
