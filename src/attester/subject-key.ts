import { Hierarchy, type Attestation, type Tpm, type TpmHandle } from '../../native/index.ts'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import { subjectKeyTemplate } from '../core/tpm/templates.ts'
import { certifyBinding, type CertifyContext } from '../core/verifier/transcript.ts'
import { createCertificationRequest } from './csr.ts'
import { parseSigningKey, signMessage } from './signing-key.ts'
import { createStorageRoot } from './storage-parent.ts'
import { encodeTss2Key } from './tss2-key.ts'

/** A key that this TPM created, with what its attestation key says of it. */
export interface CertifiedKey {
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array
  readonly parent: { readonly public: Uint8Array; readonly hierarchy: 'owner' }
  readonly certify: Attestation
  /** PKCS #10, DER. */
  readonly csr: Uint8Array
  /** The key file: TSS2 PRIVATE KEY. */
  readonly pem: string
}

/** Who certifies the new key, and what for. */
export interface SubjectKeyRequest {
  readonly attestationKey: TpmHandle
  readonly context: Omit<CertifyContext, 'csr' | 'subjectName'>
  /** The authValue of the owner hierarchy, where the TPM's owner has set one. */
  readonly ownerAuth?: Uint8Array | undefined
}

/** The two parts of a key below the storage root, of use to its TPM alone. */
interface WrappedKey {
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array
  readonly private: Uint8Array
}

/**
 * Creates a subject key below the storage root, has it sign its certificate request, and certifies it for that request
 * alone, all without letting go of it. It is not kept in the TPM: the key file is the only copy, of use to this TPM alone.
 *
 * Takes the two slots that the attestation key leaves.
 *
 * @throws AttesterError `owner-authorization`, `signature-wrong`; Tpm2Error
 * @see TPM 2.0 Part 3 r01.59 §12.1, §18.2; verification F2, F5
 */
export async function createSubjectKey(
  tpm: Tpm,
  request: SubjectKeyRequest,
): Promise<CertifiedKey> {
  const create = async (parent: TpmHandle): Promise<WrappedKey> =>
    await tpm.create({ parent, public: subjectKeyTemplate() })
  const { key, certified } = await certifyLoaded(tpm, request, create)
  const pem = encodeTss2Key({
    kind: 'loadable',
    emptyAuth: true,
    parent: Hierarchy.owner,
    public: key.public,
    private: key.private,
  })
  return { ...certified, pem }
}

/**
 * Certifies a subject key that was created before, for a new request that it signs; otherwise as
 * {@link createSubjectKey}.
 *
 * @throws Tpm2Error, of Load where the key is of another TPM
 */
export async function certifySubjectKey(
  tpm: Tpm,
  request: SubjectKeyRequest,
  key: WrappedKey,
): Promise<Omit<CertifiedKey, 'pem'>> {
  return (await certifyLoaded(tpm, request, async () => await Promise.resolve(key))).certified
}

async function certifyLoaded(
  tpm: Tpm,
  request: SubjectKeyRequest,
  wrap: (parent: TpmHandle) => Promise<WrappedKey>,
): Promise<{ key: WrappedKey; certified: Omit<CertifiedKey, 'pem'> }> {
  const root = await createStorageRoot(tpm, request.ownerAuth)
  const { key, handle } = await tpm.withHandle(root.handle, async parent => {
    const wrapped = await wrap(parent)
    return { key: wrapped, handle: await tpm.load({ parent, ...partsOf(wrapped) }) }
  })
  return await tpm.withHandle(handle, async object => {
    const signing = parseSigningKey(key.public)
    const csr = await createCertificationRequest({
      jwk: signing.jwk,
      algorithm: signing.algorithm.name,
      sign: async message => await signMessage(tpm, object, signing, message),
    })
    const qualifyingData = certifyBinding({ ...request.context, csr, subjectName: object.name })
    const certify = await tpm.certify({ object, signer: request.attestationKey, qualifyingData })
    const parent = { public: root.public, hierarchy: 'owner' } as const
    return { key, certified: { public: key.public, parent, certify, csr } }
  })
}

function partsOf({ public: area, private: secret }: WrappedKey): WrappedKey {
  return { public: area, private: secret }
}

/** A certified key as the service's interface takes it. */
export function subjectKeyBody({
  public: area,
  parent,
  certify,
}: Pick<CertifiedKey, 'public' | 'parent' | 'certify'>): object {
  return {
    public: encodeBase64url(area),
    parent: { public: encodeBase64url(parent.public), hierarchy: parent.hierarchy },
    certify: attestationBody(certify),
  }
}

/** An attestation as the service's interface takes it. */
export function attestationBody({ attest, signature }: Attestation): object {
  return { attest: encodeBase64url(attest), signature: encodeBase64url(signature) }
}
