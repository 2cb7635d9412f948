import type { TpmHandle } from './handles.ts'

/** Parameter encryption and HMAC authorization for one command. */
export interface Protected {
  /**
   * A key to salt a session with for this one command, or a session of `startProtection`. The first parameter of the
   * command and of the answer then cross the bus encrypted (AES-128-CFB), and authValues are proven, not sent.
   *
   * The protection is only as good as the knowledge of the salting key: compare its Name (`handle.name`) with one that
   * was certified. An endorsement key is restricted and for decryption, which is what TPM2_StartAuthSession asks of a
   * tpmKey (TPM 2.0 Part 3 r01.59 §11.1); so is a storage root key.
   */
  readonly protection?: TpmHandle
}

/** Marshalled TPMT_SIG_SCHEME; the key's own scheme when absent. */
interface Schemed {
  readonly scheme?: Uint8Array
}

/** Who signs an attestation, and what the caller has bound into it (TPM2B_DATA content, at most 64 octets). */
export interface Signing extends Protected, Schemed {
  readonly signer: TpmHandle
  readonly signerAuth?: Uint8Array
  readonly signerSession?: TpmHandle
  readonly qualifyingData?: Uint8Array
}

/** What TPM2_Create and TPM2_CreatePrimary make an object from. */
export interface Template extends Protected {
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array
  /** The new object's authValue. */
  readonly userAuth?: Uint8Array
  /** The data to seal, for a KEYEDHASH object without sensitiveDataOrigin. */
  readonly data?: Uint8Array
  readonly outsideInfo?: Uint8Array
  /** TPML_PCR_SELECTION. */
  readonly creationPcr?: Uint8Array
}

export interface CreatePrimaryArguments extends Template {
  /** A TPM_RH constant, see `Hierarchy`. */
  readonly hierarchy: number
  readonly hierarchyAuth?: Uint8Array
}

export interface CreateArguments extends Template {
  readonly parent: TpmHandle
  readonly parentAuth?: Uint8Array
  readonly parentSession?: TpmHandle
}

/** How a new object came to be: TPMT_PUBLIC, TPMS_CREATION_DATA, its digest, TPMT_TK_CREATION. */
export interface Creation {
  readonly public: Uint8Array
  readonly creationData: Uint8Array
  readonly creationHash: Uint8Array
  readonly creationTicket: Uint8Array
}

export interface CreatedPrimary extends Creation {
  readonly handle: TpmHandle
  readonly name: Uint8Array
}

export interface Created extends Creation {
  /** TPM2B_PRIVATE content, wrapped by the parent. */
  readonly private: Uint8Array
}

export interface LoadArguments extends Protected {
  readonly parent: TpmHandle
  readonly parentAuth?: Uint8Array
  readonly parentSession?: TpmHandle
  readonly private: Uint8Array
  readonly public: Uint8Array
}

export interface LoadExternalArguments {
  readonly public: Uint8Array
  readonly hierarchy: number
}

export interface EvictControlArguments extends Protected {
  readonly object: TpmHandle
  readonly persistentHandle: number
  /** Owner unless said otherwise. */
  readonly hierarchy?: number
  readonly hierarchyAuth?: Uint8Array
}

export interface PolicySecretArguments extends Protected {
  readonly session: TpmHandle
  /** An object, or a hierarchy's TPM_RH constant. */
  readonly authority: TpmHandle | number
  readonly authorityAuth?: Uint8Array
}

export interface ActivateCredentialArguments extends Protected {
  /** The object that the credential is for: the attestation key. */
  readonly activate: TpmHandle
  readonly activateAuth?: Uint8Array
  readonly activateSession?: TpmHandle
  /** The key that the secret is encrypted to: the endorsement key. */
  readonly key: TpmHandle
  readonly keyAuth?: Uint8Array
  readonly keySession?: TpmHandle
  /** TPM2B_ID_OBJECT content. */
  readonly credentialBlob: Uint8Array
  /** TPM2B_ENCRYPTED_SECRET content. */
  readonly encryptedSecret: Uint8Array
}

/** TPMS_ATTEST as the TPM signed it, and TPMT_SIGNATURE. */
export interface Attestation {
  readonly attest: Uint8Array
  readonly signature: Uint8Array
}

export interface CertifyArguments extends Signing {
  readonly object: TpmHandle
  readonly objectAuth?: Uint8Array
  readonly objectSession?: TpmHandle
}

export interface CertifyCreationArguments extends Signing {
  readonly object: TpmHandle
  readonly creationHash: Uint8Array
  readonly creationTicket: Uint8Array
}

export interface QuoteArguments extends Signing {
  /** TPML_PCR_SELECTION. A bank that is not active comes back reduced, not refused: look into the quote. */
  readonly pcrSelection: Uint8Array
}

export interface GetTimeArguments extends Signing {
  readonly endorsementAuth?: Uint8Array
}

/** PCR values at one value of the update counter, in the order of the selection. */
export interface PcrReading {
  readonly pcrUpdateCounter: number
  /** TPML_PCR_SELECTION of what was read: PCRs of banks that are not active are missing. */
  readonly pcrSelection: Uint8Array
  readonly digests: readonly Uint8Array[]
}

export interface PcrExtendArguments extends Protected {
  readonly pcr: number
  /** TPML_DIGEST_VALUES. */
  readonly digests: Uint8Array
  readonly pcrAuth?: Uint8Array
}

export interface SignArguments extends Protected, Schemed {
  readonly key: TpmHandle
  readonly keyAuth?: Uint8Array
  readonly keySession?: TpmHandle
  readonly digest: Uint8Array
  /** TPMT_TK_HASHCHECK of `hash`, which a restricted key asks for. */
  readonly validation?: Uint8Array
}

export interface HashArguments {
  /** Of any length. */
  readonly data: Uint8Array
  /** SHA-256 unless said otherwise. */
  readonly hashAlg?: number
  /** The hierarchy of the ticket; owner unless said otherwise. */
  readonly hierarchy?: number
}

/** An NV index by its number, and who reads or writes it. */
export interface NvArguments extends Protected {
  readonly index: number
  /** A TPM_RH constant; without it the index authorises itself, or for reading the owner where the index does not allow that. */
  readonly authorization?: number
  /** The authValue of whoever authorises. */
  readonly auth?: Uint8Array
}

export interface NvWriteArguments extends NvArguments {
  readonly data: Uint8Array
  readonly offset?: number
}

export interface NvDefineSpaceArguments extends Protected {
  /** TPMS_NV_PUBLIC. */
  readonly public: Uint8Array
  /** The new index's authValue. */
  readonly auth?: Uint8Array
  /** Owner unless said otherwise. */
  readonly hierarchy?: number
  readonly hierarchyAuth?: Uint8Array
}

export interface NvUndefineSpaceArguments extends Protected {
  readonly index: number
  /** Owner unless said otherwise. */
  readonly hierarchy?: number
  readonly hierarchyAuth?: Uint8Array
}

export interface NvCertifyArguments extends Signing, NvArguments {
  /** How many octets to certify, from `offset`. */
  readonly size: number
  readonly offset?: number
}
