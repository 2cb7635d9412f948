import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import { encodeExtensions, type ExtensionSource } from '../../../src/core/issuance/extension.ts'
import type { ExtensionName } from '../../../src/core/issuance/extension-name.ts'
import { commonName } from '../../../src/core/issuance/assembly.ts'
import { otherSpki, spki } from './lint-fixtures.ts'

const source: ExtensionSource = {
  keyUsage: ['keyCertSign', 'cRLSign'],
  extendedKeyUsage: ['OCSPSigning'],
  spki,
  issuerKeyIdentifier: otherSpki.subarray(0, 20),
  names: { directory: commonName('TPM'), hosts: ['a.example'] },
}

/** One extension as another library reads it. */
function read(name: ExtensionName, changes: Partial<ExtensionSource> = {}): x509.Extension {
  const [encoded = new Uint8Array()] = encodeExtensions([{ name, critical: true }], {
    ...source,
    ...changes,
  })
  return x509.ExtensionFactory.create(Uint8Array.from(encoded))
}

test('an authority is one, with or without a path length', t => {
  for (const pathLength of [undefined, 0, 3]) {
    const extension = read('basicConstraints', { authority: { pathLength } })
    t.true(extension instanceof x509.BasicConstraintsExtension)
    t.like(extension, { ca: true, pathLength, critical: true })
  }
  t.like(read('basicConstraints'), { ca: false })
})

test('each bit of the key usage stands where its name says', t => {
  t.like(read('keyUsage'), {
    usages: x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
  })
  t.like(read('keyUsage', { keyUsage: ['digitalSignature', 'keyAgreement'] }), {
    usages: x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyAgreement,
  })
})

test('lists and responders are named by their URLs', t => {
  const urls = ['http://a.example/1.crl', 'http://b.example/1.crl']
  const points = read('crlDistributionPoints', { crlUrls: urls })
  t.true(points instanceof x509.CRLDistributionPointsExtension)
  const [point] = (points as x509.CRLDistributionPointsExtension).distributionPoints
  t.deepEqual(
    point?.distributionPoint?.fullName?.map(name => name.uniformResourceIdentifier),
    urls,
  )
  const access = read('authorityInformationAccess', { ocspUrls: ['http://a.example/ocsp'] })
  t.true(access instanceof x509.AuthorityInfoAccessExtension)
  t.is((access as x509.AuthorityInfoAccessExtension).ocsp[0]?.value, 'http://a.example/ocsp')
})

test('an alternative name can be a directory name', t => {
  const { names } = read('subjectAlternativeName') as x509.SubjectAlternativeNameExtension
  t.deepEqual(
    names.items.map(({ type }) => type),
    ['dns', 'dn'],
  )
})

test('name constraints are written as they are given', t => {
  const constraints = der.sequence(
    der.contextConstructed(0, der.sequence(der.implicitPrimitive(6, Buffer.from('example.org')))),
  )
  const { value } = read('nameConstraints', { nameConstraints: constraints })
  t.deepEqual(Buffer.from(value), Buffer.from(constraints))
})

test('a profile that names an extension without its value is the caller’s bug', t => {
  const needy = [
    'nameConstraints',
    'crlDistributionPoints',
    'authorityInformationAccess',
    'assuranceLevel',
    'attestationResult',
  ] as const
  for (const name of needy) t.throws(() => read(name), { instanceOf: TypeError })
  t.throws(() => read('subjectAlternativeName', { names: {} }), { instanceOf: TypeError })
  t.throws(() => read('extendedKeyUsage', { extendedKeyUsage: ['x'] }), { instanceOf: TypeError })
})
