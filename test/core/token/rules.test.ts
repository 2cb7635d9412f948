import test from 'ava'
import { createNonce, isNonce, nonceIntervalMs } from '../../../src/core/token/nonce.ts'
import { OAuthError } from '../../../src/core/token/oauth-error.ts'
import { TokenError } from '../../../src/core/token/error.ts'
import { apiScopes, apiScopesOf, grantScopes } from '../../../src/core/token/scope.ts'

const secret = new Uint8Array(32).fill(7)
const now = 1_790_000_000_000

test('a nonce is accepted in its minute and the next, and by no other secret', t => {
  const nonce = createNonce(secret, now)
  t.is(Buffer.from(nonce, 'base64url').length, 16)
  t.true(isNonce(secret, nonce, now))
  t.true(isNonce(secret, nonce, now + nonceIntervalMs))
  t.false(isNonce(secret, nonce, now + 2 * nonceIntervalMs))
  t.false(isNonce(secret, nonce, now - nonceIntervalMs))
  t.false(isNonce(new Uint8Array(32), nonce, now))
  for (const other of ['', `${nonce}x`, nonce.slice(1), 'ü'.repeat(22)])
    t.false(isNonce(secret, other, now))
})

test('without a wish, all that is allowed is granted', t => {
  t.deepEqual(grantScopes(undefined, ['a', 'b']), ['a', 'b'])
  t.deepEqual(grantScopes(undefined, []), [])
})

test('a wish is granted whole or not at all', t => {
  t.deepEqual(grantScopes('b', ['a', 'b']), ['b'])
  t.deepEqual(grantScopes(' a  a ', ['a', 'b']), ['a'])
  t.is(grantScopes('a c', ['a', 'b']), undefined)
  t.is(grantScopes('A', ['a']), undefined)
  t.is(grantScopes('toString', ['a']), undefined)
})

test('no caller has a scope that the API does not know, and only hosts and agents have credentials issued', t => {
  for (const [kind, scopes] of Object.entries(apiScopesOf)) {
    t.true(
      scopes.every(scope => apiScopes.includes(scope)),
      kind,
    )
    t.is(scopes.includes('credentials:issue'), kind === 'host' || kind === 'agent', kind)
    t.is(scopes.includes('agents:create'), kind === 'host', kind)
    const writes = scopes.some(scope => /:(write|revoke)$/.test(scope))
    t.is(writes, kind === 'administrator', kind)
  }
})

test('an OAuth error keeps the reason that it stands for', t => {
  const reason = new TokenError('dpop-nonce')
  t.like(new OAuthError('use_dpop_nonce', 'text', reason), {
    error: 'use_dpop_nonce',
    reason,
    cause: reason,
  })
  t.false('cause' in new OAuthError('invalid_request', 'text'))
})
