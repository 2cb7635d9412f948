import test from 'ava'
import { generateKeyPairSync } from 'node:crypto'
import * as der from '../../../src/core/der/writer.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { parseOcspResponse } from '../../../src/core/x509/ocsp.ts'
import { revocationStatusOf, type RevocationStatus } from '../../../src/core/x509/revocation.ts'
import { oids, type CertificateEdit } from '../../../swtpm/emulated/certificate.ts'
import { both, intermediate, leafBytes, now, root, signedBy, withExtension } from './fixtures.ts'
import { certificateStatus, response, type ResponseParts } from './revocation-fixtures.ts'
import { certificate, freshness, issuer } from './revocation-stage.ts'

function byResponse(...responses: readonly Uint8Array[]): RevocationStatus {
  const sources = { lists: [], responses: responses.map(parseOcspResponse) }
  return revocationStatusOf(certificate, issuer, sources, freshness)
}

test('a fresh response of the issuer answers, by either digest', t => {
  for (const hash of ['sha1', 'sha256'] as const) {
    t.like(byResponse(response(certificate, parts => ({ ...parts, hash }))), {
      outcome: 'good',
      source: 'ocsp',
    })
  }
  const revoked = response(certificate, parts => ({ ...parts, status: certificateStatus.revoked }))
  t.like(byResponse(revoked), { outcome: 'revoked', detail: 'keyCompromise' })
})

test('a response that does not know the certificate is no good word', t => {
  const unknown = response(certificate, parts => ({ ...parts, status: certificateStatus.unknown }))
  t.like(byResponse(unknown), { outcome: 'unavailable', detail: 'not known to the responder' })
})

test('a response that is out of date is no good word', t => {
  const old = response(certificate, parts => ({ ...parts, nextUpdate: now - 1000 }))
  t.like(byResponse(old), { outcome: 'unavailable', source: 'ocsp' })
})

test('a response about another certificate or another issuer’s says nothing', t => {
  const other = (edit: Partial<ResponseParts>): RevocationStatus =>
    byResponse(
      response(certificate, parts => ({ ...parts, status: certificateStatus.revoked, ...edit })),
    )
  t.like(other({ serial: der.smallInteger(7) }), { outcome: 'unavailable', source: 'none' })
  t.like(other({ issuer: parseCertificate(root.certificate) }), { outcome: 'unavailable' })
})

const responderKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** A certificate for somebody who answers in the issuer's place. */
function delegate(edit: CertificateEdit = parts => parts, by = intermediate): Uint8Array {
  const spki = responderKey.publicKey.export({ format: 'der', type: 'spki' })
  const value = der.sequence(der.objectIdentifier('1.3.6.1.5.5.7.3.9'))
  return leafBytes(
    both(parts => ({ ...parts, spki }), withExtension(oids.extendedKeyUsage, { value }), edit),
    by,
  )
}

function byDelegate(certificates: readonly Uint8Array[]): RevocationStatus {
  return byResponse(response(certificate, parts => ({ ...parts, certificates }), responderKey))
}

test('whoever the issuer certified to answer may answer', t => {
  t.like(byDelegate([delegate()]), { outcome: 'good', source: 'ocsp' })
})

const strangers: readonly (readonly [string, readonly Uint8Array[]])[] = [
  ['sent along nothing', []],
  ['was certified for something else', [delegate(withExtension(oids.extendedKeyUsage, undefined))]],
  ['was certified by another', [delegate(undefined, root)]],
  [
    'was certified for a time that is over',
    [delegate(parts => ({ ...parts, notAfter: now - 1000 }))],
  ],
  ['may not sign', [delegate(withExtension(oids.keyUsage, { value: der.namedBits(0x20) }))]],
  [
    'has a critical extension that is not known',
    [delegate(withExtension('1.2.3', { critical: true, value: der.sequence() }))],
  ],
]

for (const [what, certificates] of strangers) {
  test(`a responder that ${what} says nothing`, t => {
    t.like(byDelegate(certificates), {
      outcome: 'unavailable',
      detail: 'a response that nobody signed who may answer',
    })
  })
}

test('refuses a response that is unsuccessful, has a critical extension, or is cut off', t => {
  const code = 'ocsp-malformed'
  const critical = [{ oid: '1.2.3', critical: true, value: der.sequence() }]
  const nonce = [
    { oid: '1.3.6.1.5.5.7.48.1.2', critical: false, value: der.octetString(Uint8Array.of(1)) },
  ]
  const edited = (edit: Partial<ResponseParts>) => (): unknown =>
    parseOcspResponse(response(certificate, parts => ({ ...parts, ...edit })))
  t.notThrows(edited({ extensions: nonce }))
  t.throws(edited({ extensions: critical }), { code })
  t.throws(edited({ responseStatus: 6 }), { code })
  const bytes = response(certificate)
  for (let length = 0; length < bytes.length; length += 1) {
    t.throws(() => parseOcspResponse(bytes.subarray(0, length)), { code })
  }
})

test('refuses a response of another type, and one that names no responder', t => {
  const wrap = (type: string, basic: Uint8Array): Uint8Array =>
    der.sequence(
      der.tlv(0x0a, Uint8Array.of(0)),
      der.contextConstructed(0, der.sequence(der.objectIdentifier(type), der.octetString(basic))),
    )
  const code = 'ocsp-malformed'
  t.throws(() => parseOcspResponse(wrap('1.3.6.1.5.5.7.48.1.2', der.sequence())), { code })
  const data = der.sequence(der.contextConstructed(0, der.smallInteger(1)), der.sequence())
  const basic = signedBy(intermediate, data)
  t.throws(() => parseOcspResponse(wrap('1.3.6.1.5.5.7.48.1.1', basic)), { code })
})
