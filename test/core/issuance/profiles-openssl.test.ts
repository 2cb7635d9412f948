import { randomBytes } from 'node:crypto'
import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import {
  assembleCertificate,
  encodeSigned,
  serialNumber,
} from '../../../src/core/issuance/assembly.ts'
import { issueCredential, prepareCredential } from '../../../src/core/issuance/credential.ts'
import { prepareIssuer } from '../../../src/core/issuance/issuer.ts'
import { profileNames, type ProfileName } from '../../../src/core/issuance/profile.ts'
import { createServiceCertificate } from '../../../src/core/issuance/service-certificate.ts'
import { statusUrls } from '../../../src/core/revocation/location.ts'
import { createResponderCertificate } from '../../../src/core/revocation/responder-certificate.ts'
import { createTestKey } from '../../support/compact-jws.ts'
import { createTestAuthority } from '../../support/test-authority.ts'
import { testIssuance } from '../../support/test-issuance.ts'
import { hour, now, openssl, pemOf, provenKeyOf, spiffeId, trustDomain } from './fixtures.ts'

const { profiles, throwaway } = testIssuance
const authority = await createTestAuthority(trustDomain, new Date(now))
const [issuer, root] = authority.chain
const key = createTestKey()
const spki = new Uint8Array(key.publicKey.export({ format: 'der', type: 'spki' }))
const shared = {
  issuer,
  spki,
  serial: randomBytes(16),
  notBefore: now,
  notAfter: now + hour,
  throwaway,
}
const attestation = {
  assurance: 'tpm-discrete',
  resultSha256: 'ab'.repeat(32),
  expiresAt: now + 2 * hour,
} as const
const location = { base: 'https://assay.example', authorityId: 'ab' }

async function credential(name: 'host' | 'agent' | 'operator'): Promise<Uint8Array> {
  const attested = name === 'operator' ? {} : { attestation }
  const prepared = prepareCredential(
    {
      ...shared,
      ...attested,
      profile: profiles[name],
      signatureAlgorithm: 'ES256',
      key: provenKeyOf(key),
      spiffeId,
      commonName: name,
      statusOf: serial => statusUrls(location, serial),
    },
    throwaway,
  )
  return (await issueCredential(prepared, authority.signer)).certificate
}

/** TPM manufacturer, model and version, as a directory name. TCG EK Credential Profile r2.5 §3.1.2. */
const tpmName = der.sequence(
  ...['id:49465800', 'SLB 9670', 'id:0755'].map((text, index) =>
    der.setOf(der.sequence(der.objectIdentifier(`2.23.133.2.${index + 1}`), der.utf8String(text))),
  ),
)

async function attestationKey(): Promise<Uint8Array> {
  const prepared = prepareIssuer(issuer)
  const tbs = assembleCertificate(
    {
      ...profiles['attestation-key'],
      ...shared,
      issuer: prepared,
      issuerKeyIdentifier: prepared.keyIdentifier,
      signatureAlgorithm: 'ES256',
      serial: serialNumber(shared.serial),
      serialRandom: shared.serial,
      subject: der.sequence(),
      notAfter: now + hour - 1000,
      names: { directory: tpmName },
      svid: undefined,
      attestation,
      attestedUntil: attestation.expiresAt,
    },
    throwaway,
  )
  return encodeSigned(tbs, 'ES256', await authority.signer.sign(tbs))
}

const service = { profile: profiles.service, spiffeId, names: ['assay.example'] }
const responder = { profile: profiles['ocsp-responder'] }

/** A certificate of each profile, made as the service makes it, and what openssl has to read in it. */
const made: Readonly<Record<ProfileName, readonly [() => Promise<Uint8Array>, RegExp]>> = {
  host: [async () => await credential('host'), /URI:spiffe:.*OCSP - URI:/s],
  agent: [async () => await credential('agent'), /URI:spiffe:.*OCSP - URI:/s],
  operator: [async () => await credential('operator'), /Subject: CN ?= ?operator\n.*URI:spiffe:/s],
  service: [
    async () => await createServiceCertificate({ ...shared, ...service }, authority.signer),
    /URI:spiffe:.*DNS:assay\.example/s,
  ],
  'attestation-key': [
    attestationKey,
    /Subject: ?\n.*2\.23\.133\.8\.3.*Subject Alternative Name: critical\s+DirName:/s,
  ],
  'ocsp-responder': [
    async () => await createResponderCertificate({ ...shared, ...responder }, authority.signer),
    /Extended Key Usage: critical\s+OCSP Signing\n.*OCSP No Check/s,
  ],
}

for (const name of profileNames) {
  const [make, content] = made[name]
  test(`a certificate of the profile ${name} passes the lints, and openssl reads and verifies it`, async t => {
    const files = {
      'leaf.pem': pemOf(await make()),
      'issuing.pem': pemOf(issuer),
      'root.pem': pemOf(root),
    }
    const text = openssl(t, files, 'x509', '-in', 'leaf.pem', '-noout', '-text')
    t.regex(text, content)
    t.regex(text, /Basic Constraints: critical\s+CA:FALSE\n/)
    t.regex(text, /Key Usage: critical\s+Digital Signature\n/)
    const chain = ['-CAfile', 'root.pem', '-untrusted', 'issuing.pem', 'leaf.pem']
    const how = ['-x509_strict', '-attime', String(now / 1000)]
    t.regex(openssl(t, files, 'verify', ...how, ...chain), /leaf\.pem: OK/)
  })
}
