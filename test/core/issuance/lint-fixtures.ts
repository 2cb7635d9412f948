import * as der from '../../../src/core/der/writer.ts'
import { commonName } from '../../../src/core/issuance/assembly.ts'
import {
  encodeAssuranceLevel,
  encodeAttestationResult,
} from '../../../src/core/issuance/attestation-extension.ts'
import { extensionIds as ids } from '../../../src/core/issuance/extension-name.ts'
import { keyPurposes } from '../../../src/core/issuance/key-purpose.ts'
import type { CertificateTerms } from '../../../src/core/issuance/lint.ts'
import {
  buildCertificate,
  ecdsaSha256,
  keyIdentifier,
  type BuiltCertificate,
  type BuiltExtension,
} from '../../support/certificate-builder.ts'
import { createTestKey } from '../../support/compact-jws.ts'
import { hour, now, spiffeId } from './fixtures.ts'

const issuerKey = createTestKey()
const subjectKey = createTestKey()

export const spki = subjectKey.publicKey.export({ format: 'der', type: 'spki' })
export const otherSpki = issuerKey.publicKey.export({ format: 'der', type: 'spki' })
const issuerName = commonName('Issuing authority')
const random = Uint8Array.from({ length: 16 }, (_, index) => 0x41 + index * 7)
const reference = { assurance: 'tpm-discrete', resultSha256: 'ab'.repeat(32) } as const

/** The terms of a good certificate of an agent. */
export const terms: CertificateTerms = {
  signatureAlgorithm: ecdsaSha256,
  issuer: {
    name: issuerName,
    keyIdentifier: keyIdentifier(otherSpki),
    notBefore: now - hour,
    notAfter: now + 10 * hour,
  },
  spki,
  serialRandom: random,
  extensions: [
    { id: ids.basicConstraints, isCritical: true },
    { id: ids.keyUsage, isCritical: true },
    { id: ids.extendedKeyUsage, isCritical: false },
    { id: ids.subjectKeyIdentifier, isCritical: false },
    { id: ids.authorityKeyIdentifier, isCritical: false },
    { id: ids.subjectAlternativeName, isCritical: false },
    { id: ids.assuranceLevel, isCritical: false },
    { id: ids.attestationResult, isCritical: false },
  ],
  keyUsage: 1,
  extendedKeyUsage: purposesOf('serverAuth', 'clientAuth'),
  authority: undefined,
  maxLifetimeSeconds: 3600,
  svid: spiffeId,
  attestation: { ...reference, expiresAt: now + hour },
}

export function purposesOf(...names: readonly string[]): string[] {
  return names.map(name => keyPurposes[name] ?? name)
}

/** DER ExtKeyUsageSyntax. */
export function purposes(...names: readonly string[]): Uint8Array {
  return der.sequence(...purposesOf(...names).map(der.objectIdentifier))
}

/** GeneralNames of URIs. */
export function uris(...texts: readonly string[]): Uint8Array {
  return der.sequence(...texts.map(text => der.implicitPrimitive(6, Buffer.from(text))))
}

/** The extensions of a good certificate; those given by their id are put in the places of the good ones. */
export function extensions(changes: readonly BuiltExtension[] = []): BuiltExtension[] {
  const good: BuiltExtension[] = [
    { id: ids.basicConstraints, critical: true, value: der.sequence() },
    { id: ids.keyUsage, critical: true, value: der.namedBits(0x80) },
    { id: ids.extendedKeyUsage, value: purposes('serverAuth', 'clientAuth') },
    { id: ids.subjectKeyIdentifier, value: der.octetString(keyIdentifier(spki)) },
    {
      id: ids.authorityKeyIdentifier,
      value: der.sequence(der.implicitPrimitive(0, keyIdentifier(otherSpki))),
    },
    { id: ids.subjectAlternativeName, value: uris(spiffeId) },
    { id: ids.assuranceLevel, value: encodeAssuranceLevel(reference) },
    { id: ids.attestationResult, value: encodeAttestationResult(reference) },
  ]
  return good.map(extension => changes.find(({ id }) => id === extension.id) ?? extension)
}

/** The members of a good certificate. */
export const parts: BuiltCertificate = {
  version: der.contextConstructed(0, der.smallInteger(2)),
  serial: der.unsignedInteger(random),
  innerAlgorithm: ecdsaSha256,
  outerAlgorithm: ecdsaSha256,
  issuer: issuerName,
  notBefore: der.certificateTime(now - 30_000),
  notAfter: der.certificateTime(now + hour - 31_000),
  subject: commonName('agent-1'),
  spki,
  extensions: extensions(),
}

/** A certificate with some of its members replaced. */
export function certificate(changes: Partial<BuiltCertificate> = {}): Uint8Array {
  return buildCertificate({ ...parts, ...changes }, issuerKey.privateKey)
}
