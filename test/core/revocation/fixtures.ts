import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import * as der from '../../../src/core/der/writer.ts'
import type { CertificateSigner } from '../../../src/core/issuance/credential.ts'
import { createResponderCertificate } from '../../../src/core/revocation/responder-certificate.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { testIssuance } from '../../support/test-issuance.ts'
import { createTestAuthority } from '../../support/test-authority.ts'

export const now = 1_790_000_000_000
export const day = 86_400_000

export const authority = await createTestAuthority('example.org', new Date(now))
export const [issuer] = authority.chain
const issuing = parseCertificate(issuer).fields

/** A responder's key with its certificate under the authority. */
export interface TestResponder {
  readonly spki: Uint8Array
  readonly certificate: Uint8Array
  readonly signer: CertificateSigner
}

export async function createResponder(lifetimeMs = 7 * day): Promise<TestResponder> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const times = { notBefore: now, notAfter: now + lifetimeMs }
  const request = {
    profile: testIssuance.profiles['ocsp-responder'],
    throwaway: testIssuance.throwaway,
    issuer,
    spki,
    serial: randomBytes(16),
    ...times,
  }
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
  return {
    spki,
    certificate: await createResponderCertificate(request, authority.signer),
    signer: { algorithm: 'ES256', sign: message => sign('sha256', message, key) },
  }
}

const sha256 = der.sequence(der.objectIdentifier('2.16.840.1.101.3.4.2.1'), Uint8Array.of(5, 0))

/** DER CertID of a certificate of the authority. */
export function certificateId(serial: Uint8Array, algorithm: Uint8Array = sha256): Uint8Array {
  const digest = (bytes: Uint8Array): Uint8Array => der.octetString(Uint8Array.from(hash(bytes)))
  return der.sequence(
    algorithm,
    digest(issuing.subject.encoded),
    digest(issuing.keyBits),
    der.unsignedInteger(serial),
  )
}

function hash(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

/** What an OCSP request is made of, open to change. */
export interface RequestParts {
  /** DER CertIDs. */
  readonly ids: readonly Uint8Array[]
  /** DER Extensions of the request, of each question. */
  readonly extensions?: Uint8Array
  readonly single?: Uint8Array
  /** Before the list of questions: a requestor's name. */
  readonly before?: Uint8Array
  /** After what is asked: a signature. */
  readonly after?: Uint8Array
}

/** DER OCSPRequest. */
export function ocspRequest(parts: RequestParts): Uint8Array {
  const { ids, extensions, single, before, after } = parts
  const wrap = (tag: number, value: Uint8Array | undefined): Uint8Array[] =>
    value === undefined ? [] : [der.contextConstructed(tag, value)]
  return der.sequence(
    der.sequence(
      ...wrap(1, before),
      der.sequence(...ids.map(id => der.sequence(id, ...wrap(0, single)))),
      ...wrap(2, extensions),
    ),
    ...wrap(0, after),
  )
}

/** DER Extensions of one. */
export function extensionsOf(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  return der.sequence(
    der.sequence(
      der.objectIdentifier(oid),
      ...(critical ? [der.booleanTrue] : []),
      der.octetString(value),
    ),
  )
}

/** DER Extensions of a nonce. */
export function nonceOf(nonce: Uint8Array): Uint8Array {
  return extensionsOf('1.3.6.1.5.5.7.48.1.2', false, der.octetString(nonce))
}
