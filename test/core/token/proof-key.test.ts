import test from 'ava'
import { parseJws } from '../../../src/core/jose/jws.ts'
import { ProofKeys } from '../../../src/core/token/proof-key.ts'
import { compactJws, createTestKey, type TestKey } from '../../support/compact-jws.ts'

function proofBy(key: TestKey, payload: object = {}): ReturnType<typeof parseJws> {
  return parseJws(compactJws({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk }, payload, key))
}

test('a kept key is answered from memory, one that was not kept is read anew', t => {
  const keys = new ProofKeys(10)
  const proof = proofBy(createTestKey())
  const first = keys.resolve(proof)
  t.not(keys.resolve(proof), first)
  keys.keep(proof, first)
  t.is(keys.resolve(proof), first)
})

test('the key longest unused goes first, and no more than the capacity are held', t => {
  const keys = new ProofKeys(2)
  const [a, b, c] = [1, 2, 3].map(() => {
    const proof = proofBy(createTestKey())
    return { proof, key: keys.resolve(proof) }
  })
  if (a === undefined || b === undefined || c === undefined) throw new TypeError('three')
  for (const { proof, key } of [a, b, a, c]) keys.keep(proof, key)
  t.is(keys.resolve(a.proof), a.key)
  t.not(keys.resolve(b.proof), b.key)
  t.is(keys.resolve(c.proof), c.key)
})

test('a proof that is longer than any client of ours makes is verified and forgotten', t => {
  const keys = new ProofKeys(10)
  const proof = proofBy(createTestKey(), { padding: 'x'.repeat(3_000) })
  const key = keys.resolve(proof)
  keys.keep(proof, key)
  t.not(keys.resolve(proof), key)
})

test('the key of a record is imported once', t => {
  const keys = new ProofKeys(1)
  const { jwk, jkt } = createTestKey()
  const record = { jkt, jwk: JSON.stringify(jwk) }
  const first = keys.importOnce(record)
  t.is(first.jkt, jkt)
  t.is(keys.importOnce(record), first)
  const other = createTestKey()
  keys.importOnce({ jkt: other.jkt, jwk: JSON.stringify(other.jwk) })
  t.not(keys.importOnce(record), first)
})

test('a record that is no public key is refused', t => {
  const record = { jkt: 'x', jwk: JSON.stringify({ kty: 'EC' }) }
  t.throws(() => new ProofKeys(1).importOnce(record), { code: 'jwk-malformed' })
})
