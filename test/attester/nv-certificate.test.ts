import { readFileSync } from 'node:fs'
import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import test from 'ava'
import { AttesterError } from '../../src/attester/error.ts'
import { splitNvChain, trimNvCertificate } from '../../src/attester/nv-certificate.ts'
import { octetString, sequence } from '../../src/core/der/writer.ts'
import { absenceOf, hasVectors, vectorsFolder } from '../support/vectors.ts'

const certificate = sequence(octetString(new Uint8Array(300).fill(7)))
const other = sequence(octetString(new Uint8Array(40).fill(9)))
const size = [certificate.length >> 8, certificate.length & 0xff]
const longHeader = Uint8Array.of(0x10, 0x01, 0x00, ...size, 0x10, 0x02)
const shortHeader = Uint8Array.of(0x10, 0x01, 0x00, ...size)

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

const accepted: Readonly<Record<string, Uint8Array>> = {
  'as it is': certificate,
  'behind the seven octets of TPM 1.2': joined(longHeader, certificate),
  'behind five octets, without the inner tag': joined(shortHeader, certificate),
  'before zeros': joined(certificate, new Uint8Array(77)),
  'before FF': joined(certificate, new Uint8Array(1).fill(0xff)),
  'before any one octet, repeated': joined(certificate, new Uint8Array(192).fill(0x11)),
  'between header and padding': joined(longHeader, certificate, new Uint8Array(5).fill(0xff)),
}

for (const [how, content] of Object.entries(accepted)) {
  test(`finds a certificate ${how}`, t => {
    t.deepEqual(Buffer.from(trimNvCertificate(content)), Buffer.from(certificate))
  })
}

const refused: Readonly<Record<string, Uint8Array>> = {
  'two headers': joined(longHeader, longHeader, certificate),
  'padding of two kinds': joined(certificate, Uint8Array.of(0, 0, 0xff)),
  'a second certificate': joined(certificate, other),
  nothing: new Uint8Array(),
  'an erased index': new Uint8Array(800).fill(0xff),
  'a header alone': longHeader,
  'a certificate that ends too early': certificate.subarray(0, -1),
  'an indefinite length': Uint8Array.of(0x30, 0x80, 0x00, 0x00),
  'a length that is not the shortest': joined(Uint8Array.of(0x30, 0x81, 0x02), new Uint8Array(2)),
  'another value': joined(octetString(new Uint8Array(4))),
}

for (const [what, content] of Object.entries(refused)) {
  test(`finds no certificate in ${what}`, t => {
    const error = t.throws(() => trimNvCertificate(content), { instanceOf: AttesterError })
    t.is(error.code, 'endorsement-certificate-malformed')
  })
}

test('refuses a certificate cut at any offset', t => {
  for (let length = 0; length < certificate.length; length += 1) {
    const error = t.throws(() => trimNvCertificate(certificate.subarray(0, length)), {
      instanceOf: AttesterError,
    })
    t.is(error.code, 'endorsement-certificate-malformed')
  }
})

test('splits a chain of indices, each padded, into its certificates', t => {
  const padding = new Uint8Array(9).fill(0xff)
  const found = splitNvChain([joined(certificate, padding), joined(other, new Uint8Array(3))])
  t.deepEqual(found.map(hex), [certificate, other].map(hex))
})

test('joins a certificate that lies in two indices', t => {
  const all = joined(certificate, other, certificate)
  const found = splitNvChain([all.subarray(0, 100), all.subarray(100, 350), all.subarray(350)])
  t.deepEqual(found.map(hex), [certificate, other, certificate].map(hex))
})

test('gives no certificates for no indices', t => {
  t.deepEqual(splitNvChain([]), [])
})

test('refuses a chain that ends within a certificate, or holds something else', t => {
  for (const content of [
    joined(certificate, other.subarray(0, -1)),
    joined(certificate, Uint8Array.of(0, 0, 7), other),
  ]) {
    const error = t.throws(() => splitNvChain([content]), { instanceOf: AttesterError })
    t.is(error.code, 'endorsement-certificate-malformed')
  }
})

for (const [file, trimmed] of [
  ['stm02-nv-header-7-bytes.bin', 7],
  ['nuvoton-nv-padded.bin', 192],
] as const) {
  test(`trims ${trimmed} octets off the content of a real index: ${file}`, t => {
    if (!hasVectors()) {
      t.pass(absenceOf(vectorsFolder))
      return
    }
    const content = readFileSync(join(vectorsFolder, 'ek', file))
    const found = trimNvCertificate(content)
    t.is(found.length, content.length - trimmed)
    t.notThrows(() => new X509Certificate(found))
  })
}
