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
  const status = {
    crl: 'http://a.example/1.crl',
    ocsp: 'http://a.example/ocsp',
    issuer: 'http://a.example/1.cer',
  }
  const points = read('crlDistributionPoints', { status })
  t.true(points instanceof x509.CRLDistributionPointsExtension)
  const [point] = (points as x509.CRLDistributionPointsExtension).distributionPoints
  t.deepEqual(
    point?.distributionPoint?.fullName?.map(name => name.uniformResourceIdentifier),
    [status.crl],
  )
  const access = read('authorityInformationAccess', { status })
  t.true(access instanceof x509.AuthorityInfoAccessExtension)
  t.is((access as x509.AuthorityInfoAccessExtension).ocsp[0]?.value, status.ocsp)
  t.is((access as x509.AuthorityInfoAccessExtension).caIssuers[0]?.value, status.issuer)
})

test('whoever answers about others is not asked about', t => {
  t.deepEqual([...new Uint8Array(read('ocspNoCheck').value)], [5, 0])
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
