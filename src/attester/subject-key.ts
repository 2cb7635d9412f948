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
  const { created, handle, parent } = await createLoaded(tpm, request.ownerAuth)
  return await tpm.withHandle(handle, async object => {
    const key = parseSigningKey(created.public)
    const csr = await createCertificationRequest({
      jwk: key.jwk,
      algorithm: key.algorithm.name,
      sign: async message => await signMessage(tpm, object, key, message),
    })
    const qualifyingData = certifyBinding({ ...request.context, csr, subjectName: object.name })
    const certify = await tpm.certify({ object, signer: request.attestationKey, qualifyingData })
    return {
      public: created.public,
      parent: { public: parent, hierarchy: 'owner' },
      certify,
      csr,
      pem: pemOf(created),
    }
  })
}

interface LoadedKey {
  readonly created: { readonly public: Uint8Array; readonly private: Uint8Array }
  readonly handle: TpmHandle
  /** TPMT_PUBLIC of the parent, which is flushed. */
  readonly parent: Uint8Array
}

async function createLoaded(tpm: Tpm, ownerAuth: Uint8Array | undefined): Promise<LoadedKey> {
  const root = await createStorageRoot(tpm, ownerAuth)
  return await tpm.withHandle(root.handle, async parent => {
    const created = await tpm.create({ parent, public: subjectKeyTemplate() })
    const handle = await tpm.load({ parent, public: created.public, private: created.private })
    return { created, handle, parent: root.public }
  })
}

function pemOf(created: LoadedKey['created']): string {
  return encodeTss2Key({
    kind: 'loadable',
    emptyAuth: true,
    parent: Hierarchy.owner,
    public: created.public,
    private: created.private,
  })
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
