import test from 'ava'
import {
  activationType,
  authorizationActivationType,
  verifyActivation,
  type ActivationClaims,
} from '../../../src/core/appraisal/policy-activation.ts'
import { ProofKeys } from '../../../src/core/token/proof-key.ts'
import { compactJws, createTestKey } from '../../support/compact-jws.ts'

const key = createTestKey()
const proofKey = new ProofKeys(4).importOnce({ jkt: key.jkt, jwk: JSON.stringify(key.jwk) })
const now = 1_790_000_000_000

const claims: ActivationClaims = {
  aud: 'https://assay.example',
  iat: now / 1000,
  policy: `sha256:${'ab'.repeat(32)}`,
  version: 2,
  replaces: 1,
}

function verify(payload: object = claims, header: object = {}, by = key): void {
  const jws = compactJws({ alg: 'ES256', typ: activationType, ...header }, payload, by)
  const { iat: _iat, ...expected } = claims
  verifyActivation(jws, proofKey, { ...expected, now })
}

test('an activation by the operator’s own key for just this policy is accepted', t => {
  t.notThrows(() => verify())
})

test('refuses an activation by another key', t => {
  t.throws(() => verify(claims, {}, createTestKey()), { code: 'activation-signature' })
})

test('refuses a JWS of another kind', t => {
  const code = 'activation-malformed'
  t.throws(() => verify(claims, { typ: authorizationActivationType }), { code })
  t.throws(() => verify(claims, { typ: 'dpop+jwt' }), { code })
  t.throws(() => verifyActivation('x.y', proofKey, { ...claims, now }), { code })
})

for (const [name, value] of Object.entries({
  aud: 'https://other.example',
  policy: `sha256:${'cd'.repeat(32)}`,
  version: 3,
  replaces: 2,
})) {
  test(`refuses an activation for another ${name}`, t => {
    t.throws(() => verify({ ...claims, [name]: value }), { code: 'activation-mismatch' })
    t.throws(() => verify({ ...claims, [name]: undefined }), { code: 'activation-mismatch' })
    t.throws(() => verify({ ...claims, [name]: String(value) + '0' }), {
      code: 'activation-mismatch',
    })
  })
}

test('refuses an activation that was signed before or after', t => {
  const code = 'activation-time'
  t.throws(() => verify({ ...claims, iat: claims.iat - 301 }), { code })
  t.throws(() => verify({ ...claims, iat: claims.iat + 301 }), { code })
  t.throws(() => verify({ ...claims, iat: undefined }), { code })
  t.throws(() => verify({ ...claims, iat: String(claims.iat) }), { code })
  t.notThrows(() => verify({ ...claims, iat: claims.iat - 300 }))
})
