import { randomBytes } from 'node:crypto'
import * as der from '../../../src/core/der/writer.ts'
import { commonName } from '../../../src/core/issuance/assembly.ts'
import {
  issueAuthority,
  prepareAuthority,
  type AuthorityRequest,
} from '../../../src/core/issuance/authority-certificate.ts'
import { extensionIds as ids } from '../../../src/core/issuance/extension-name.ts'
import {
  buildCertificate,
  ecdsaSha256,
  keyIdentifier,
  type BuiltCertificate,
  type BuiltExtension,
} from '../../support/certificate-builder.ts'
import { createTestKey, type TestKey } from '../../support/compact-jws.ts'
import { testAuthorityIssuance } from '../../support/test-issuance.ts'
import { signerOf } from '../issuance/authority-fixtures.ts'
import { hour, now, trustDomain } from '../issuance/fixtures.ts'

export { now, trustDomain }
export const day = 24 * hour
const { profiles, throwaway } = testAuthorityIssuance

export const rootKey: TestKey = createTestKey('P-384')

export function spkiOf(key: TestKey): Uint8Array {
  return new Uint8Array(key.publicKey.export({ format: 'der', type: 'spki' }))
}

/** A certificate of an authority as a ceremony makes it. */
export async function makeAuthority(
  key: TestKey,
  signer: TestKey,
  changes: Partial<AuthorityRequest>,
): Promise<Uint8Array> {
  const request: AuthorityRequest = {
    profile: changes.issuer === undefined ? profiles.root : profiles.intermediate,
    issuer: undefined,
    signatureAlgorithm: signer.jwk.crv === 'P-384' ? 'ES384' : 'ES256',
    spki: spkiOf(key),
    subject: commonName('Root'),
    trustDomain,
    pathLength: 1,
    serial: randomBytes(16),
    notBefore: now - day,
    notAfter: now + 1000 * day,
    ...changes,
  }
  return await issueAuthority(prepareAuthority(request, throwaway), signerOf(signer))
}

/** A self-signed certificate that no ceremony of ours would make. */
export function buildOdd(
  extensions: readonly BuiltExtension[],
  changes: Partial<BuiltCertificate> = {},
  key: TestKey = createTestKey(),
): Uint8Array {
  const name = commonName('Odd')
  const parts: BuiltCertificate = {
    version: der.contextConstructed(0, der.smallInteger(2)),
    serial: der.smallInteger(7),
    innerAlgorithm: ecdsaSha256,
    outerAlgorithm: ecdsaSha256,
    issuer: name,
    subject: name,
    notBefore: der.certificateTime(now - day),
    notAfter: der.certificateTime(now + day),
    spki: spkiOf(key),
    extensions,
    ...changes,
  }
  return buildCertificate(parts, key.privateKey)
}

/** The extensions of an authority, to be left out or replaced one by one. */
export const extensionsOfAuthority = {
  constraints: {
    id: ids.basicConstraints,
    critical: true,
    value: der.sequence(der.booleanTrue),
  },
  usage: { id: ids.keyUsage, critical: true, value: der.namedBits(0x06) },
  identifier: {
    id: ids.subjectKeyIdentifier,
    value: der.octetString(keyIdentifier(Buffer.from('key'))),
  },
  name: {
    id: ids.subjectAlternativeName,
    value: der.sequence(der.implicitPrimitive(6, Buffer.from(`spiffe://${trustDomain}`))),
  },
} as const satisfies Record<string, BuiltExtension>
