import { createPrivateKey, randomBytes } from 'node:crypto'
import {
  createIssuing,
  createRoot,
  issuingAlgorithm,
  rootAlgorithm,
  type CeremonyKey,
} from '../../src/core/issuance/ceremony.ts'
import type { CertificateSigner } from '../../src/core/issuance/credential.ts'
import { createEmbeddedSigner, embeddedCrypto, exportPkcs8 } from '../../src/hsm/embedded-key.ts'
import { testAuthorityIssuance } from './test-issuance.ts'

/** A throwaway hierarchy: root, issuing authority, and a signer over the latter's key. */
export interface TestAuthority {
  readonly root: CeremonyKey
  readonly issuing: CeremonyKey
  /** DER, issuing certificate first. */
  readonly chain: readonly [Uint8Array, Uint8Array]
  readonly signer: CertificateSigner
}

/** Runs both ceremonies as `assay init` does. */
export async function createTestAuthority(trustDomain: string, now: Date): Promise<TestAuthority> {
  const { subtle } = embeddedCrypto
  const shared = { crypto: embeddedCrypto, issuance: testAuthorityIssuance, trustDomain, now }
  const rootKeys = await subtle.generateKey(rootAlgorithm, true, ['sign', 'verify'])
  const root = await createRoot({ ...shared, serial: randomBytes(16), keys: rootKeys })
  const keys = await subtle.generateKey(issuingAlgorithm, true, ['sign', 'verify'])
  const issuing = await createIssuing({ ...shared, serial: randomBytes(16), keys }, root)
  const signer = createEmbeddedSigner(await exportPkcs8(keys.privateKey))
  if (signer.algorithm === 'Ed25519') throw new TypeError('an issuing key is on P-256')
  return {
    root,
    issuing,
    chain: [issuing, root].map(({ certificate }) => new Uint8Array(certificate.rawData)) as [
      Uint8Array,
      Uint8Array,
    ],
    signer: { algorithm: signer.algorithm, sign: message => signer.sign(message) },
  }
}

/** The private key of an authority as node:crypto's own. */
export async function privateKeyOf(key: CeremonyKey): Promise<ReturnType<typeof createPrivateKey>> {
  return createPrivateKey(await exportPkcs8(key.keys.privateKey))
}
