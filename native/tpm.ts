import { handlesFrom, propertyOf } from './capability.ts'
import type * as Args from './commands.ts'
import { Connection } from './connection.ts'
import type { ConnectionOptions } from './connection.ts'
import { Capability, HashAlgorithm, Hierarchy } from './constants.ts'
import type { TpmHandle } from './handles.ts'

/**
 * A connection to a TPM 2.0: one method for each command (TPM 2.0 Part 3 r01.59), run one after another on a thread of
 * its own. Structures are marshalled octets without their outer TPM2B size. Every method rejects with {@link Tpm2Error}.
 *
 * Any number of calls may be queued at once. An open connection keeps the process alive only while a call is under way.
 */
export class Tpm implements AsyncDisposable {
  /** The TCTI string it was opened with. */
  readonly tcti: string
  readonly #connection: Connection

  private constructor(tcti: string, connection: Connection) {
    this.tcti = tcti
    this.#connection = connection
  }

  /**
   * Opens a connection.
   *
   * @param tcti the string of the TCTI loader (Tss2_TctiLdr_Initialize): `device:/dev/tpmrm0`, `swtpm:path=…`, `tabrmd:`
   * @throws {Tpm2Error} tpm-unreachable
   */
  static async open(tcti: string, options?: ConnectionOptions): Promise<Tpm> {
    const connection = new Connection(tcti, options)
    try {
      await connection.call('open')
    } catch (error) {
      await connection.close()
      throw error
    }
    return new Tpm(tcti, connection)
  }

  /**
   * Closes after the calls already made, flushing every object and session that is still held. Later calls reject with
   * `tpm-connection-closed`. Closing twice is no error.
   */
  async close(): Promise<void> {
    await this.#connection.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Runs `use` with a handle and flushes it on every path. */
  async withHandle<T>(
    opened: TpmHandle | Promise<TpmHandle>,
    use: (handle: TpmHandle) => Promise<T>,
  ): Promise<T> {
    await using handle = await opened
    return await use(handle)
  }

  // Capabilities, random numbers, clock.

  /** TPM2_GetCapability: TPMS_CAPABILITY_DATA, and whether there is more. */
  async getCapability(
    capability: number,
    property: number,
    count: number,
  ): Promise<CapabilityAnswer> {
    return await this.#connection.call('getCapability', { capability, property, count })
  }

  /** All handles of a range, see `HandleRange`: by TPM2_GetCapability, as often as it takes. */
  async handles(first: number): Promise<number[]> {
    return await handlesFrom(first, (property, count) =>
      this.getCapability(Capability.handles, property, count),
    )
  }

  /** One property, see `Property`; `undefined` when this TPM does not have it. */
  async property(property: number): Promise<number | undefined> {
    return propertyOf(await this.getCapability(Capability.tpmProperties, property, 1), property)
  }

  /** The PCRs of every bank that is allocated: TPML_PCR_SELECTION. A bank without PCRs is not active. */
  async pcrBanks(): Promise<Uint8Array> {
    return (await this.getCapability(Capability.pcrs, 0, 1)).capabilityData.subarray(4)
  }

  /** TPM2_GetRandom, as often as it takes: up to 65,535 octets. Protect it when the octets are to be a secret. */
  async getRandom(size: number, options: Args.Protected = {}): Promise<Uint8Array> {
    return (await this.#connection.call<{ random: Uint8Array }>('getRandom', { size, ...options }))
      .random
  }

  /** TPM2_ReadClock: TPMS_TIME_INFO. */
  async readClock(): Promise<Uint8Array> {
    return (await this.#connection.call<{ timeInfo: Uint8Array }>('readClock')).timeInfo
  }

  // Objects.

  /**
   * Opens what lies at a persistent (or transient) handle.
   *
   * Its `name` is computed here from the public area that sessions are salted with, so whatever lies between this
   * process and the TPM cannot exchange one without the other. That it is the *right* Name the caller checks.
   *
   * @throws {Tpm2Error} tpm-handle-unknown
   */
  async openHandle(tpmHandle: number): Promise<TpmHandle> {
    return (await this.#connection.open('openHandle', { tpmHandle })).handle
  }

  /** TPM2_ReadPublic: TPMT_PUBLIC, Name and Qualified Name. */
  async readPublic(handle: TpmHandle): Promise<PublicAnswer> {
    return await this.#connection.call('readPublic', { handle })
  }

  /** TPM2_CreatePrimary. */
  async createPrimary(args: Args.CreatePrimaryArguments): Promise<Args.CreatedPrimary> {
    return await this.#connection.open<Args.CreatedPrimary>('createPrimary', args)
  }

  /** TPM2_Create: the object is not loaded. */
  async create(args: Args.CreateArguments): Promise<Args.Created> {
    return await this.#connection.call('create', args)
  }

  /** TPM2_Load. */
  async load(args: Args.LoadArguments): Promise<TpmHandle> {
    return (await this.#connection.open('load', args)).handle
  }

  /** TPM2_LoadExternal of a public area. */
  async loadExternal(args: Args.LoadExternalArguments): Promise<TpmHandle> {
    return (await this.#connection.open('loadExternal', args)).handle
  }

  /** TPM2_EvictControl of a transient object: a copy of it stays at `persistentHandle`. */
  async persist(args: Args.EvictControlArguments): Promise<TpmHandle> {
    return (await this.#connection.open('evictControl', { hierarchy: Hierarchy.owner, ...args }))
      .handle
  }

  /** TPM2_EvictControl of a persistent object: it is gone, and the handle with it. */
  async evict(args: Omit<Args.EvictControlArguments, 'persistentHandle'>): Promise<void> {
    const persistentHandle = args.object.tpmHandle
    await this.#connection.call('evictControl', {
      hierarchy: Hierarchy.owner,
      ...args,
      persistentHandle,
    })
    this.#connection.release(args.object)
  }

  /**
   * TPM2_FlushContext of a transient object or session; the handle of anything persistent is only closed. What is gone
   * already, by an earlier flush or a reset of the TPM, is no error.
   */
  async flush(handle: TpmHandle): Promise<void> {
    await this.#connection.flush(handle)
  }

  // Sessions and policies.

  /**
   * A session that protects several commands (see `protection`): HMAC with SHA-256, parameter encryption with
   * AES-128-CFB, salted with `saltKey`. One session costs two slots' worth of commands less than one for each command.
   */
  async startProtection(saltKey: TpmHandle): Promise<TpmHandle> {
    return (await this.#connection.open('startAuthSession', { saltKey })).handle
  }

  /** TPM2_StartAuthSession for a policy. `authHash` must be the nameAlg of the object it is for. */
  async startPolicySession(authHash: number = HashAlgorithm.sha256): Promise<TpmHandle> {
    return (await this.#connection.open('startAuthSession', { policy: true, authHash })).handle
  }

  /** TPM2_PolicySecret. */
  async policySecret(args: Args.PolicySecretArguments): Promise<void> {
    await this.#connection.call('policySecret', args)
  }

  /** TPM2_PolicyPCR with a TPML_PCR_SELECTION; the digest of the PCRs as they are now when `pcrDigest` is absent. */
  async policyPcr(
    session: TpmHandle,
    pcrSelection: Uint8Array,
    pcrDigest?: Uint8Array,
  ): Promise<void> {
    await this.#connection.call('policyPcr', { session, pcrSelection, pcrDigest })
  }

  /** TPM2_PolicyOR over two to eight policy digests, one of which the session has reached. */
  async policyOr(session: TpmHandle, digests: readonly Uint8Array[]): Promise<void> {
    await this.#connection.call('policyOr', { session, digests })
  }

  /** TPM2_PolicyGetDigest. */
  async policyGetDigest(session: TpmHandle): Promise<Uint8Array> {
    return (
      await this.#connection.call<{ policyDigest: Uint8Array }>('policyGetDigest', { session })
    ).policyDigest
  }

  // Attestation.

  /** TPM2_ActivateCredential: the secret. Protect it, or it crosses the bus in clear. */
  async activateCredential(args: Args.ActivateCredentialArguments): Promise<Uint8Array> {
    return (await this.#connection.call<{ certInfo: Uint8Array }>('activateCredential', args))
      .certInfo
  }

  /** TPM2_Certify. */
  async certify(args: Args.CertifyArguments): Promise<Args.Attestation> {
    return await this.#connection.call('certify', args)
  }

  /** TPM2_CertifyCreation. */
  async certifyCreation(args: Args.CertifyCreationArguments): Promise<Args.Attestation> {
    return await this.#connection.call('certifyCreation', args)
  }

  /** TPM2_Quote. */
  async quote(args: Args.QuoteArguments): Promise<Args.Attestation> {
    return await this.#connection.call('quote', args)
  }

  /** TPM2_GetTime. */
  async getTime(args: Args.GetTimeArguments): Promise<Args.Attestation> {
    return await this.#connection.call('getTime', args)
  }

  // PCRs.

  /**
   * TPM2_PCR_Read as often as it takes: all selected PCRs at one value of the update counter.
   *
   * @throws {Tpm2Error} tpm-pcrs-unsteady
   */
  async pcrRead(pcrSelection: Uint8Array): Promise<Args.PcrReading> {
    return await this.#connection.call('pcrRead', { pcrSelection })
  }

  /** TPM2_PCR_Extend. */
  async pcrExtend(args: Args.PcrExtendArguments): Promise<void> {
    await this.#connection.call('pcrExtend', args)
  }

  // Signing.

  /** TPM2_Sign: TPMT_SIGNATURE over a digest. */
  async sign(args: Args.SignArguments): Promise<Uint8Array> {
    return (await this.#connection.call<{ signature: Uint8Array }>('sign', args)).signature
  }

  /** A hash sequence: the digest, and the TPMT_TK_HASHCHECK with which a restricted key signs it. */
  async hash(args: Args.HashArguments): Promise<{ digest: Uint8Array; validation: Uint8Array }> {
    return await this.#connection.call('hash', {
      hashAlg: HashAlgorithm.sha256,
      hierarchy: Hierarchy.owner,
      ...args,
    })
  }

  // Non-volatile storage.

  /** TPM2_NV_ReadPublic: TPMS_NV_PUBLIC and Name. */
  async nvReadPublic(index: number): Promise<{ public: Uint8Array; name: Uint8Array }> {
    return await this.#connection.call('nvReadPublic', { index })
  }

  /**
   * TPM2_NV_Read of a whole index, in chunks of what this TPM moves at once.
   *
   * @throws {Tpm2Error} tpm-handle-unknown when there is no such index, tpm-nv-policy-only
   */
  async nvRead(args: Args.NvArguments): Promise<Uint8Array> {
    return (await this.#connection.call<{ data: Uint8Array }>('nvRead', args)).data
  }

  /** TPM2_NV_Write, in chunks of what this TPM moves at once. */
  async nvWrite(args: Args.NvWriteArguments): Promise<void> {
    await this.#connection.call('nvWrite', args)
  }

  /** TPM2_NV_Increment. */
  async nvIncrement(args: Args.NvArguments): Promise<void> {
    await this.#connection.call('nvIncrement', args)
  }

  /** TPM2_NV_DefineSpace. */
  async nvDefineSpace(args: Args.NvDefineSpaceArguments): Promise<void> {
    await this.#connection.call('nvDefineSpace', { hierarchy: Hierarchy.owner, ...args })
  }

  /** TPM2_NV_UndefineSpace. */
  async nvUndefineSpace(args: Args.NvUndefineSpaceArguments): Promise<void> {
    await this.#connection.call('nvUndefineSpace', { hierarchy: Hierarchy.owner, ...args })
  }

  /** TPM2_NV_Certify. */
  async nvCertify(args: Args.NvCertifyArguments): Promise<Args.Attestation> {
    return await this.#connection.call('nvCertify', args)
  }
}

interface CapabilityAnswer {
  readonly moreData: boolean
  readonly capabilityData: Uint8Array
}

interface PublicAnswer {
  readonly public: Uint8Array
  readonly name: Uint8Array
  readonly qualifiedName: Uint8Array
}
