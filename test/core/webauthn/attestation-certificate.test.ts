import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import type { DeviceIdentifier } from '../../../src/core/webauthn/device-identifier.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { parseCertificateList } from '../../../src/core/x509/crl.ts'
import {
  createAuthority,
  distinguishedName,
  oids,
  type CertificateEdit,
  type CertificateParts,
} from '../../../swtpm/emulated/certificate.ts'
import { purpose, tpmNames } from '../../../swtpm/emulated/manufacturer.ts'
import { both, intermediate, now, root, withExtension, year } from '../x509/fixtures.ts'
import { entry, list, serialOf } from '../x509/revocation-fixtures.ts'
import { aaguid, attestationCertificate, attestationKeys, refusal, verify } from './fixtures.ts'

const san = (value: Uint8Array, critical = true) =>
  withExtension(oids.subjectAlternativeName, { value, critical })
const usage = (...identifiers: readonly string[]) =>
  withExtension(oids.extendedKeyUsage, {
    value: der.sequence(...identifiers.map(der.objectIdentifier)),
  })

test('a certificate with a subject is refused', t => {
  const certificate = (parts: CertificateParts) => ({
    ...parts,
    subject: distinguishedName('an attestation key'),
  })
  t.is(refusal({ certificate }), 'aik-subject')
})

test('an alternative name that is absent, not critical or not that of one TPM is refused', t => {
  const names = tpmNames('id:00001014')
  t.is(
    refusal({ certificate: withExtension(oids.subjectAlternativeName, undefined) }),
    'aik-subject-name',
  )
  t.is(refusal({ certificate: san(names, false) }), 'aik-subject-name')
  t.is(
    refusal({ certificate: san(der.sequence(der.implicitPrimitive(2, Buffer.from('host')))) }),
    'aik-subject-name',
  )
  const two = der.sequence(...[1, 2].map(() => names.subarray(2)))
  t.is(refusal({ certificate: san(two) }), 'aik-subject-name')
})

test('CVE-2026-40097 the purpose is looked for among all of them, and any or no purpose is not it', t => {
  t.is(refusal({ certificate: usage('1.3.6.1.5.5.7.3.2', '2.23.133.8.3') }), 'accepted')
  for (const identifiers of [['2.23.133.8.1'], ['2.5.29.37.0'], ['1.3.6.1.5.5.7.3.2']])
    t.is(refusal({ certificate: usage(...identifiers) }), 'aik-extended-key-usage')
  t.is(
    refusal({ certificate: withExtension(oids.extendedKeyUsage, undefined) }),
    'aik-extended-key-usage',
  )
  t.is(refusal({ certificate: usage() }), 'aik-certificate-malformed')
})

test('a certificate of an authority, or one that does not say it is none, is refused', t => {
  const authority = withExtension(oids.basicConstraints, { value: der.sequence(der.booleanTrue) })
  t.is(refusal({ certificate: authority }), 'aik-authority')
  t.is(refusal({ certificate: withExtension(oids.basicConstraints, undefined) }), 'aik-authority')
})

test('a certificate whose key may not sign is refused; one that does not say is accepted', t => {
  const usages = (byte: number) => withExtension(oids.keyUsage, { value: der.namedBits(byte) })
  t.is(refusal({ certificate: usages(0x20) }), 'aik-key-usage')
  t.is(refusal({ certificate: usages(0xa0) }), 'accepted')
  t.is(refusal({ certificate: withExtension(oids.keyUsage, undefined) }), 'accepted')
})

test('a certificate of a key that is weak or of an unknown kind is refused', t => {
  const spki = (key: Uint8Array) => (parts: CertificateParts) => ({
    ...parts,
    spki: key,
  })
  const edwards = Buffer.from(`302a300506032b6570032100${'11'.repeat(32)}`, 'hex')
  t.is(refusal({ certificate: spki(edwards) }), 'aik-key-weak')
  const point = attestationKeys.ecdsa.publicKey.export({ format: 'der', type: 'spki' })
  const off = Buffer.concat([point.subarray(0, -1), Uint8Array.of((point.at(-1) ?? 0) ^ 1)])
  t.is(refusal({ certificate: spki(off) }), 'aik-key-weak')
})

test('what cannot be read as one certificate is malformed', t => {
  const bytes = attestationCertificate(attestationKeys.ecdsa)
  for (const first of [new Uint8Array(), bytes.subarray(0, -1), Buffer.concat([bytes, bytes])]) {
    const attStmt = (members: object): object => ({ ...members, x5c: [first] })
    t.is(refusal({ attStmt: members => attStmt(members) as never }), 'aik-certificate-malformed')
  }
})

test('a path must end in a pinned anchor, whatever certificates are brought along', t => {
  t.is(refusal({}, { anchors: [] }), 'path-issuer')
  const own = createAuthority('Own root', now)
  const x5c = [
    attestationCertificate(attestationKeys.ecdsa),
    intermediate.certificate,
    root.certificate,
    own.certificate,
  ]
  const attStmt = (members: object): object => ({ ...members, x5c })
  t.is(refusal({ attStmt: members => attStmt(members) as never }, { anchors: [] }), 'path-issuer')
  t.is(refusal({ attStmt: members => attStmt(members) as never }), 'accepted')
  const alone = (members: object): object => ({ ...members, x5c: x5c.slice(0, 1) })
  t.is(refusal({ attStmt: members => alone(members) as never }), 'path-issuer')
  const unreadable = (members: object): object => ({
    ...members,
    x5c: [...x5c.slice(0, 2), new Uint8Array(3)],
  })
  t.is(refusal({ attStmt: members => unreadable(members) as never }), 'accepted')
})

test('a certificate that is expired, or has a critical extension that nobody knows, is refused', t => {
  const later = new Date(now + 20 * year)
  t.is(refusal({}, { now: later }), 'path-validity')
  const unknown = withExtension('1.2.3.4', { critical: true, value: der.sequence() })
  t.is(refusal({ certificate: unknown }), 'path-extension')
})

test('a model that differs from that of the credential is refused', t => {
  const model = (bytes: Uint8Array, critical = false) =>
    withExtension('1.3.6.1.4.1.45724.1.1.4', { critical, value: bytes })
  t.is(refusal({ certificate: model(der.octetString(aaguid)) }), 'accepted')
  t.is(refusal({ certificate: model(der.octetString(new Uint8Array(16))) }), 'aik-model')
  t.is(refusal({ certificate: model(aaguid) }), 'aik-model')
  t.is(refusal({ certificate: model(der.octetString(aaguid), true) }), 'path-extension')
  const keyAuthorization = 'token.thumbprint'
  const acme = { binding: { kind: 'key-authorization', keyAuthorization } } as const
  const certificate = model(der.octetString(new Uint8Array(16)))
  t.is(refusal({ keyAuthorization, certificate }, acme), 'accepted')
})

const permanent = '1.3.6.1.5.5.7.8.3'
const hardware = '1.3.6.1.5.5.7.8.4'

type OtherName = readonly [type: string, value: Uint8Array]

/** The name of the TPM, and names of another type beside it. */
function named(...others: OtherName[]): CertificateEdit {
  const otherNames = others.map(([type, value]) =>
    der.contextConstructed(0, der.objectIdentifier(type), der.contextConstructed(0, value)),
  )
  return san(der.sequence(tpmNames('id:00001014').subarray(2), ...otherNames))
}

const serial = der.sequence(der.utf8String('serial-1'))
const assigned = der.sequence(der.utf8String('serial-1'), der.objectIdentifier('1.2.3'))
const module = der.sequence(der.objectIdentifier('1.2.3'), der.octetString(Buffer.from('m-1')))

test('the device of the certificate must be the one that was asked for', t => {
  const asked: DeviceIdentifier = {
    kind: 'permanent-identifier',
    value: 'serial-1',
    assigner: undefined,
  }
  const ask = (identifier: DeviceIdentifier, ...names: OtherName[]): string =>
    refusal({ certificate: named(...names) }, { identifier })
  t.is(ask(asked, [permanent, serial]), 'accepted')
  t.is(ask(asked, [permanent, serial], [hardware, module]), 'accepted')
  t.is(ask(asked), 'aik-identifier')
  t.is(ask(asked, [permanent, assigned]), 'aik-identifier')
  t.is(ask({ ...asked, assigner: '1.2.3' }, [permanent, assigned]), 'accepted')
  t.is(ask({ ...asked, value: 'serial-2' }, [permanent, serial]), 'aik-identifier')
  t.is(ask({ ...asked, value: 'SERIAL-1' }, [permanent, serial]), 'aik-identifier')
  t.is(ask(asked, [permanent, serial], [permanent, serial]), 'aik-identifier')
  t.is(ask(asked, [permanent, der.sequence()]), 'aik-identifier')
  t.is(ask(asked, [permanent, der.octetString(new Uint8Array(4))]), 'aik-identifier')
  t.is(ask(asked, ['1.2.3.4', serial]), 'aik-identifier')
})

test('a hardware module is told by type and serial number', t => {
  const asked: DeviceIdentifier = {
    kind: 'hardware-module',
    type: '1.2.3',
    serial: Buffer.from('m-1'),
  }
  const ask = (identifier: DeviceIdentifier): string =>
    refusal({ certificate: named([hardware, module]) }, { identifier })
  t.is(ask(asked), 'accepted')
  t.is(ask({ ...asked, type: '1.2.4' }), 'aik-identifier')
  t.is(ask({ ...asked, serial: Buffer.from('m-2') }), 'aik-identifier')
  t.is(refusal({}, { identifier: asked }), 'aik-identifier')
})

test('a revoked certificate is refused; that nobody can say is refused where it is asked for', t => {
  const certificate = attestationCertificate(attestationKeys.ecdsa)
  const attStmt = (members: object): object => ({
    ...members,
    x5c: [certificate, intermediate.certificate],
  })
  const edit = { attStmt: (members: object) => attStmt(members) as never }
  const revoked = list(parts => ({
    ...parts,
    entries: [entry(serialOf(parseCertificate(certificate)), 1)],
  }))
  const revocation = (lists: readonly Uint8Array[], isRequired: boolean) => ({
    revocation: {
      sources: { lists: lists.map(parseCertificateList), responses: [] },
      isRequired,
      maxAgeSeconds: 30 * 86_400,
    },
  })
  t.is(refusal(edit, revocation([revoked], false)), 'aik-revocation')
  t.is(refusal(edit, revocation([], false)), 'accepted')
  t.is(refusal(edit, revocation([], true)), 'aik-revocation-unavailable')
  const lists = [list(), list(parts => ({ ...parts, issuer: root.name }), root)]
  const verified = verify(edit, revocation(lists, true))
  t.deepEqual(
    verified.revocation.map(({ outcome }) => outcome),
    ['good', 'good'],
  )
})

test('purposes and profile together: the certificate that an authority of attestation keys issues', t => {
  const certificate = both(
    withExtension(oids.extendedKeyUsage, { critical: true, value: purpose('2.23.133.8.3') }),
    withExtension('1.2.3.4', { critical: false, value: der.sequence() }),
  )
  t.is(refusal({ certificate }), 'accepted')
})
