import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import {
  parseIssuerWord,
  RevocationListError,
  verifyIssuerWord,
  type VerifiedWord,
} from '../../../src/core/verifier/revocation-list.ts'
import { createAuthority } from '../../../swtpm/emulated/certificate.ts'
import { authority, intermediate, leaf, now, root, withExtension } from '../x509/fixtures.ts'
import {
  certificateStatus,
  crlNumber,
  entry,
  list,
  response,
  serialOf,
} from '../x509/revocation-fixtures.ts'

const issuers = [root.certificate, intermediate.certificate]
const certificate = leaf()

function verify(bytes: Uint8Array, by: readonly Uint8Array[] = issuers): VerifiedWord {
  return verifyIssuerWord(bytes, by, new Date(now))
}

function refusalOf(bytes: Uint8Array, by?: readonly Uint8Array[]): RevocationListError {
  try {
    verify(bytes, by)
  } catch (error) {
    if (error instanceof RevocationListError) return error
    throw error
  }
  throw new TypeError('accepted')
}

test('a list says whose it is, how many it revokes, and when the next one is due', t => {
  const word = verify(list(parts => ({ ...parts, entries: [entry(serialOf(certificate))] })))
  t.like(word, {
    kind: 'crl',
    issuer: 'Test intermediate',
    issuerFingerprint: parseCertificate(intermediate.certificate).fingerprint,
    scope: 'all',
    number: 1n,
    revoked: 1,
  })
  t.is(verify(list(parts => ({ ...parts, nextUpdate: undefined }))).nextUpdate, null)
})

test('lists of one issuer and part take each other’s place, of another part they do not', t => {
  const uris = (...texts: string[]): Uint8Array =>
    list(parts => {
      const names = texts.map(text => der.implicitPrimitive(6, Buffer.from(text)))
      const point = der.contextConstructed(0, der.contextConstructed(0, ...names))
      const part = { oid: '2.5.29.28', critical: true, value: der.sequence(point) }
      return { ...parts, extensions: [crlNumber, part] }
    })
  const slots = [list(), uris('http://a'), uris('http://b'), uris('http://a', 'http://b')]
  t.is(new Set(slots.map(bytes => verify(bytes).slot)).size, 4)
  t.is(verify(uris('http://b', 'http://a')).slot, verify(slots[3] ?? list()).slot)
  t.is(verify(uris('http://a')).scope, 'all http://a')
  const later = list(parts => ({ ...parts, thisUpdate: now - 1000 }))
  t.is(verify(later).slot, verify(list()).slot)
  t.not(verify(later).id, verify(list()).id)
})

test('the answer of a responder says for which certificate it is', t => {
  const bytes = response(certificate)
  const serial = Buffer.from(certificate.fields.serialNumber).toString('hex')
  t.like(verify(bytes), { kind: 'ocsp', scope: `serial ${serial}`, number: 0n, revoked: 0 })
  const silent = response(certificate, parts => ({
    ...parts,
    status: certificateStatus.revoked,
    nextUpdate: undefined,
  }))
  t.like(verify(silent), { revoked: 1, nextUpdate: null, slot: verify(bytes).slot })
})

test('refuses what no authority in force said, and says what is wrong where one has the name', t => {
  t.is(refusalOf(list(), []).code, 'revocation-list-issuer')
  t.is(refusalOf(list(), []).found, 'an unknown issuer')
  t.is(refusalOf(response(certificate), [root.certificate]).code, 'revocation-list-issuer')
  const stranger = createAuthority('Stranger', now)
  const forged = refusalOf(response(certificate, undefined, stranger))
  t.is(forged.code, 'revocation-list-issuer')
  const signed = refusalOf(list(undefined, root))
  t.is(signed.found, 'a list that the issuer did not sign')
  const mute = authority('Mute', withExtension('2.5.29.15', { value: der.namedBits(0x04) }))
  const muteList = list(parts => ({ ...parts, issuer: mute.name }), mute)
  t.is(refusalOf(muteList, [mute.certificate]).found, 'a list of an issuer that may not sign lists')
})

test('of several authorities of one name the one that signed is the issuer', t => {
  const twin = createAuthority('Test intermediate', now, root)
  const { issuerFingerprint } = verify(list(), [twin.certificate, intermediate.certificate])
  t.is(issuerFingerprint, parseCertificate(intermediate.certificate).fingerprint)
})

test('refuses a word from the future', t => {
  const future = list(parts => ({ ...parts, thisUpdate: now + 1000 }))
  t.is(refusalOf(future).code, 'revocation-list-future')
  const answer = response(certificate, parts => ({ ...parts, thisUpdate: now + 1000 }))
  t.is(refusalOf(answer).code, 'revocation-list-future')
})

test('what cannot be read to its end is refused, at whatever byte it is cut', t => {
  for (const whole of [list(), response(certificate)]) {
    for (let length = 0; length < whole.length; length += 1) {
      const error = t.throws(() => parseIssuerWord(whole.subarray(0, length)), {
        instanceOf: RevocationListError,
      })
      t.is(error.code, 'revocation-list-malformed')
    }
  }
})
