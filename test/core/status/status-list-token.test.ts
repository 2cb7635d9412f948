import { createHash, generateKeyPairSync } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import test from 'ava'
import { encodeBase64url } from '../../../src/core/bytes/base64url.ts'
import { encodeHeader, signJws } from '../../../src/core/jose/jws.ts'
import { StatusError, type StatusErrorCode } from '../../../src/core/status/error.ts'
import { encodeStatusList } from '../../../src/core/status/status-list.ts'
import {
  parseStatusReference,
  verifyStatusListToken,
} from '../../../src/core/status/status-list-token.ts'
import { tokenAlgorithm } from '../../../src/core/token/access-token.ts'

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const algorithm = tokenAlgorithm('ES256')
const keys = [{ kid: 'k', key: publicKey, algorithm }]
const uri = 'https://assay.example/status/1'
const now = 1_700_000_000_000
const header = { alg: 'ES256', kid: 'k', typ: 'statuslist+jwt' }
const claims = {
  sub: uri,
  iat: now / 1000,
  exp: now / 1000 + 60,
  ttl: 5,
  status_list: encodeStatusList(64, [3]),
}
const sign = (payload: object, head: object = header): string =>
  signJws(encodeHeader(head), payload, privateKey, algorithm)
const verify = (token: string) => verifyStatusListToken(token, { uri, keys, now })

test('verifies a list and its places', t => {
  const verified = verify(sign(claims))
  t.is(verified.list.at(3), 1)
  t.is(verified.list.at(4), 0)
  t.is(verified.ttlSeconds, 5)
  t.is(verified.expiresAt, now + 60_000)
  t.is(verified.issuedAt, now)
})

test('reads a list longer than other tokens may be, and one without ttl', t => {
  const places = createHash('shake256', { outputLength: 16_384 }).update('places').digest()
  const { ttl: _, ...rest } = claims
  const token = sign({
    ...rest,
    status_list: { bits: 1, lst: encodeBase64url(deflateSync(places)) },
  })
  t.true(token.length > 8192)
  t.is(verify(token).ttlSeconds, undefined)
})

const refusals: readonly [string, () => string, StatusErrorCode][] = [
  ['no token', () => 'x', 'status-list-malformed'],
  ['another type', () => sign(claims, { ...header, typ: 'JWT' }), 'status-list-malformed'],
  ['another key id', () => sign(claims, { ...header, kid: 'other' }), 'status-list-signature'],
  [
    'a changed payload',
    () => sign(claims).replace(/\.[^.]+\./, `.${encodeHeader({ ...claims, ttl: 6 })}.`),
    'status-list-signature',
  ],
  [
    'no signature algorithm',
    () => sign(claims, { ...header, alg: 'none' }),
    'status-list-signature',
  ],
  ['another list', () => sign({ ...claims, sub: `${uri}2` }), 'status-list-subject'],
  ['its time over', () => sign({ ...claims, exp: now / 1000 }), 'status-list-expired'],
  ['a time to come', () => sign({ ...claims, iat: now / 1000 + 61 }), 'status-list-expired'],
  ['no exp', () => sign({ ...claims, exp: undefined }), 'status-list-malformed'],
  ['a ttl below nothing', () => sign({ ...claims, ttl: -1 }), 'status-list-malformed'],
  ['no list', () => sign({ ...claims, status_list: undefined }), 'status-list-malformed'],
]

for (const [title, make, code] of refusals) {
  test(`refuses a status list token with ${title}`, t => {
    t.is(t.throws(() => verify(make()), { instanceOf: StatusError }).code, code)
  })
}

test('reads where a credential has its place', t => {
  t.is(parseStatusReference(undefined), undefined)
  t.deepEqual(parseStatusReference({ status_list: { idx: 3, uri } }), { idx: 3, uri })
  for (const status of [
    null,
    1,
    {},
    { status_list: null },
    { status_list: { idx: -1, uri } },
    { status_list: { idx: 1 } },
  ])
    t.is(
      t.throws(() => parseStatusReference(status), { instanceOf: StatusError }).code,
      'status-list-malformed',
    )
})
