import { createHash } from 'node:crypto'
import test from 'ava'
import * as fc from 'fast-check'
import { verifyDpopProof, type DpopExpectations } from '../../../src/core/token/dpop-proof.ts'
import { TokenError } from '../../../src/core/token/error.ts'
import { ProofKeys } from '../../../src/core/token/proof-key.ts'
import { compactJws, createTestKey, segment } from '../../support/compact-jws.ts'

const now = 1_790_000_000_000
const iat = now / 1000
const key = createTestKey()
const wide = createTestKey('P-384')
const url = 'https://assay.example/oauth/token'
const expected: DpopExpectations = { method: 'POST', url, now }
const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk }
const payload = { jti: 'proof-0001', htm: 'POST', htu: url, iat }

function proofOf(changes: object = {}, headerChanges: object = {}, by = key): string {
  return compactJws({ ...header, ...headerChanges }, { ...payload, ...changes }, by)
}

function verify(proof: string, more: Partial<DpopExpectations> = {}): string {
  return verifyDpopProof(proof, new ProofKeys(10), { ...expected, ...more }).key.jkt
}

test('a proof for this request is accepted and names its key', t => {
  t.is(verify(proofOf()), key.jkt)
  t.is(verify(proofOf({}, { alg: 'ES384', jwk: wide.jwk }, wide)), wide.jkt)
})

test('the replay key is one for key and jti, and lasts as long as the proof could be shown', t => {
  const proof = verifyDpopProof(proofOf(), new ProofKeys(10), expected)
  t.is(proof.jti, 'proof-0001')
  t.is(proof.replay.key, `dpop:${key.jkt}:proof-0001`)
  const late = { now: proof.replay.expiresAt }
  t.throws(() => verify(proofOf(), late), { code: 'dpop-time' })
})

test('the replay key ends on a whole millisecond whatever fraction the proof names', t => {
  const proof = verifyDpopProof(proofOf({ iat: iat + 0.12345 }), new ProofKeys(10), expected)
  t.true(Number.isInteger(proof.replay.expiresAt))
})

const refused: readonly (readonly [string, string, string])[] = [
  ['that is no JWS', 'nothing', 'dpop-malformed'],
  ['that is two proofs behind one another', `${proofOf()}, ${proofOf()}`, 'dpop-malformed'],
  ['of type JWT', proofOf({}, { typ: 'JWT' }), 'dpop-malformed'],
  ['of the type of an access token', proofOf({}, { typ: 'at+jwt' }), 'dpop-malformed'],
  ['without type', proofOf({}, { typ: undefined }), 'dpop-malformed'],
  ['of alg none', `${segment({ ...header, alg: 'none' })}.${segment(payload)}.`, 'dpop-malformed'],
  ['of a symmetric alg', proofOf({}, { alg: 'HS256' }), 'dpop-malformed'],
  ['of an alg of another curve', proofOf({}, { alg: 'ES384' }), 'dpop-malformed'],
  ['without key', proofOf({}, { jwk: undefined }), 'dpop-malformed'],
  ['with a private key', proofOf({}, { jwk: { ...key.jwk, d: 'AA' } }), 'dpop-malformed'],
  ['with a symmetric key', proofOf({}, { jwk: { kty: 'oct', k: 'AA' } }), 'dpop-malformed'],
  ['with a key off its curve', proofOf({}, { jwk: offCurve() }), 'dpop-malformed'],
  ['with a critical header', proofOf({}, { crit: ['nonce'] }), 'dpop-malformed'],
  ['signed by another key than it names', proofOf({}, {}, createTestKey()), 'dpop-signature'],
  ['without signature', `${proofOf().split('.').slice(0, 2).join('.')}.`, 'dpop-signature'],
  ['without jti', proofOf({ jti: undefined }), 'dpop-malformed'],
  ['with a short jti', proofOf({ jti: '1234567' }), 'dpop-malformed'],
  ['with an endless jti', proofOf({ jti: 'x'.repeat(257) }), 'dpop-malformed'],
  ['whose jti is a number', proofOf({ jti: 12345678 }), 'dpop-malformed'],
  ['for another method', proofOf({ htm: 'GET' }), 'dpop-method'],
  ['for the method in other letters', proofOf({ htm: 'post' }), 'dpop-method'],
  ['whose method cannot be shown', proofOf({ htm: { toString: 1, valueOf: 2 } }), 'dpop-method'],
  ['for another path', proofOf({ htu: 'https://assay.example/oauth/tokens' }), 'dpop-url'],
  ['for another host', proofOf({ htu: 'https://evil.example/oauth/token' }), 'dpop-url'],
  ['for another port', proofOf({ htu: 'https://assay.example:444/oauth/token' }), 'dpop-url'],
  ['without TLS', proofOf({ htu: 'http://assay.example/oauth/token' }), 'dpop-url'],
  ['for a path alone', proofOf({ htu: '/oauth/token' }), 'dpop-url'],
  ['without URL', proofOf({ htu: undefined }), 'dpop-url'],
  ['whose URL cannot be shown', proofOf({ htu: { toString: 1, valueOf: 2 } }), 'dpop-url'],
  [
    'for a host behind a user name',
    proofOf({ htu: 'https://assay.example@evil.example/oauth/token' }),
    'dpop-url',
  ],
  ['with a user name', proofOf({ htu: 'https://a:b@assay.example/oauth/token' }), 'dpop-url'],
  ['without time', proofOf({ iat: undefined }), 'dpop-malformed'],
  ['whose time is a text', proofOf({ iat: String(iat) }), 'dpop-malformed'],
  [
    'whose time is infinite',
    compactJws(header, JSON.stringify(payload).replace(String(iat), '1e999'), key),
    'dpop-malformed',
  ],
  ['made too long ago', proofOf({ iat: iat - 121 }), 'dpop-time'],
  ['from the future', proofOf({ iat: iat + 11 }), 'dpop-time'],
]

function offCurve(): object {
  return { ...key.jwk, y: createTestKey().jwk.y }
}

for (const [name, proof, code] of refused) {
  test(`refuses a proof ${name}`, t => {
    t.throws(() => verify(proof), { code, instanceOf: TokenError })
  })
}

test('a clock may be behind or ahead by what is allowed, not by more', t => {
  for (const skew of [-120, 0, 10]) t.is(verify(proofOf({ iat: iat + skew })), key.jkt)
})

test('the URL is compared without query and fragment, in normal form', t => {
  for (const htu of [
    `${url}?a=1`,
    `${url}#x`,
    'https://assay.example:443/oauth/token',
    'HTTPS://ASSAY.EXAMPLE/oauth/token',
    'https://assay.example/oauth/./token',
  ])
    t.is(verify(proofOf({ htu })), key.jkt, htu)
})

test('beside a token, the proof must be for that token', t => {
  const accessToken = 'the.access.token'
  const ath = createHash('sha256').update(accessToken).digest('base64url')
  t.is(verify(proofOf({ ath }), { accessToken }), key.jkt)
  const other = createHash('sha256').update('another').digest('base64url')
  for (const wrong of [undefined, other, '', `${ath}=`, accessToken, { toString: 1 }])
    t.throws(() => verify(proofOf({ ath: wrong }), { accessToken }), { code: 'dpop-token-hash' })
})

test('where a nonce is asked for, the proof must carry one of ours', t => {
  const isNonce = (nonce: string): boolean => nonce === 'ours'
  t.is(verify(proofOf({ nonce: 'ours' }), { isNonce }), key.jkt)
  for (const nonce of [undefined, 'theirs', '', 1, ['ours']])
    t.throws(() => verify(proofOf({ nonce }), { isNonce }), { code: 'dpop-nonce' })
})

test('only who holds the key learns that the nonce was wrong', t => {
  const isNonce = (): boolean => false
  const forged = proofOf({ nonce: 'old' }, {}, createTestKey())
  t.throws(() => verify(forged, { isNonce }), { code: 'dpop-signature' })
})

test('no changed bit of a proof is accepted', t => {
  const proof = proofOf()
  for (let index = 0; index < proof.length; index += 1) {
    const bytes = Buffer.from(proof)
    bytes[index] = (bytes[index] ?? 0) ^ 1
    t.throws(() => verify(bytes.toString('latin1')), { instanceOf: TokenError })
  }
})

test('whatever a key holder signs is a proof for this request or refused by its code', t => {
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom(iat, 'POST', url))
  const changes = fc.dictionary(fc.constantFrom('jti', 'htm', 'htu', 'iat', 'ath', 'nonce'), value)
  const headers = fc.dictionary(fc.constantFrom('typ', 'alg', 'jwk', 'kid', 'crit'), fc.jsonValue())
  fc.assert(
    fc.property(changes, headers, (change, headerChange) => {
      try {
        verify(proofOf(change, headerChange))
        t.pass()
      } catch (error) {
        t.true(error instanceof TokenError)
      }
    }),
  )
})
