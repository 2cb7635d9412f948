import test from 'ava'
import { vendorServices } from '../../../src/core/ek/vendor-service.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import type { PublicKey } from '../../../src/core/x509/public-key.ts'
import { eccKey, evidenceOf } from './fixtures.ts'

const [intel, amd] = vendorServices
const exponent = Uint8Array.of(1, 0, 1)
/** Modulus 00…: only its bytes count. */
const key: PublicKey = {
  kind: 'rsa',
  algorithm: 'rsaEncryption',
  modulus: Buffer.alloc(256, 0xa5),
  exponent,
}

test('Intel’s address is a digest of modulus and exponent, in padded base64url', t => {
  // printf of 256 octets a5 and 010001, through sha256sum and basenc --base64url.
  t.is(
    intel?.urlFor(key),
    'https://ekop.intel.com/ekcertservice/lKxO7KwblAaYuX-xViVFz99cjoqsXJ541aLFjnfXWdE%3D',
  )
})

test('AMD’s address is half a digest of a prefix, exponent and modulus, in hexadecimal', t => {
  // printf of 00002222, 00010001 and 256 octets a5, through sha256sum.
  t.is(amd?.urlFor(key), 'https://ftpm.amd.com/pki/aia/58B6EB282C36A5D77AEDFE98E3E0E8D0')
})

test('keys on curves are not served', t => {
  const { publicKey } = parseCertificate(evidenceOf(undefined, eccKey).certificate).fields
  for (const service of vendorServices) t.is(service.urlFor(publicKey), undefined)
})

test('Intel answers with a certificate, or with one in JSON', t => {
  const certificate = evidenceOf().certificate
  const answer = (text: string): Uint8Array | undefined => intel?.certificateIn(Buffer.from(text))
  t.deepEqual(intel?.certificateIn(certificate), certificate)
  const text = `${Buffer.from(certificate).toString('base64url')}%3D`
  t.deepEqual(answer(JSON.stringify({ pubhash: 'x', certificate: text })), Buffer.from(certificate))
  for (const none of ['', '{', 'null', '[]', '{"certificate":1}', '{"certificate":"%"}']) {
    t.is(answer(none), undefined, none)
  }
})
