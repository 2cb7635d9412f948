import { Hierarchy, Tpm2Error, type Tpm, type TpmHandle } from '../../native/index.ts'
import { thumbprint, type PublicJwk } from '../core/jose/jwk.ts'
import { subjectKeyTemplate } from '../core/tpm/templates.ts'
import type { ClientKey } from './client-key.ts'
import { openTpm } from './connect.ts'
import { AttesterError } from './error.ts'
import { parseSigningKey, signMessage, type SigningKey } from './signing-key.ts'
import { releaseResident, withResident, withSlots } from './slots.ts'
import { createStorageRoot, parentOpeners, type ParentOpener } from './storage-parent.ts'
import { encodeTss2Key, parseTss2Key, type Tss2Key } from './tss2-key.ts'

/** What a key file does not hold itself. */
export interface TpmKeyOptions {
  /** The key's authValue. */
  readonly auth?: Uint8Array | undefined
  /** The authValue of the owner hierarchy, where the TPM's owner has set one. */
  readonly ownerAuth?: Uint8Array | undefined
}

/**
 * Opens a key file for signing. The key is loaded when it first signs, so a file of another machine is noticed then.
 *
 * @param tpm a connection, which stays the caller's; or a TCTI string, of which `close` closes the connection
 * @param pem TSS2 PRIVATE KEY
 * @throws AttesterError `tss2-…`; where a string is given also `tpm-absent`, `tpm-forbidden`, `tpm-occupied`
 */
export async function openTpmKey(
  tpm: Tpm | string,
  pem: string,
  options: TpmKeyOptions = {},
): Promise<ClientKey> {
  const file = parseTss2Key(pem)
  requireUsable(file, options)
  const key = parseSigningKey(file.public)
  const openers = parentOpeners(file)
  if (typeof tpm !== 'string') return new TpmKey({ tpm, file, key, openers, options, owned: false })
  return new TpmKey({ tpm: await openTpm(tpm), file, key, openers, options, owned: true })
}

function requireUsable(file: Tss2Key, { auth }: TpmKeyOptions): void {
  if (file.kind !== 'loadable') throw new AttesterError('tss2-kind', { found: file.kind })
  if ((file.policy ?? []).length > 0) throw new AttesterError('tss2-policy')
  if (!file.emptyAuth && auth === undefined) throw new AttesterError('tss2-authorization')
}

interface TpmKeyParts {
  readonly tpm: Tpm
  readonly file: Tss2Key
  readonly key: SigningKey
  readonly openers: readonly ParentOpener[]
  readonly options: TpmKeyOptions
  readonly owned: boolean
}

class TpmKey implements ClientKey {
  readonly protection = 'tpm'
  readonly jwk: PublicJwk
  readonly jkt: string
  readonly algorithm: 'ES256' | 'ES384'
  readonly #parts: TpmKeyParts

  constructor(parts: TpmKeyParts) {
    this.#parts = parts
    this.jwk = parts.key.jwk
    this.jkt = thumbprint(this.jwk)
    this.algorithm = parts.key.algorithm.name
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    const { tpm, key, file } = this.#parts
    if (!file.emptyAuth) return await this.#signProving(message)
    const load = async (): Promise<TpmHandle> => {
      return await this.#withParent(async parent => await this.#load(parent))
    }
    return await withResident(tpm, this, load, async handle => {
      return await signMessage(tpm, handle, key, message)
    })
  }

  async close(): Promise<void> {
    const { tpm, owned } = this.#parts
    await releaseResident(tpm, this)
    if (owned) await tpm.close()
  }

  /** With an authValue, which is proven in a session salted with the parent: the parent stays while the key signs. */
  async #signProving(message: Uint8Array): Promise<Uint8Array> {
    const { tpm, key, options } = this.#parts
    const sign = async (protection: TpmHandle): Promise<Uint8Array> => {
      return await tpm.withHandle(this.#load(protection), async handle => {
        return await signMessage(tpm, handle, key, message, { auth: options.auth, protection })
      })
    }
    return await withSlots(
      tpm,
      async () => await explainAuth(async () => await this.#withParent(sign)),
    )
  }

  async #load(parent: TpmHandle): Promise<TpmHandle> {
    const { tpm, file } = this.#parts
    return await tpm.load({ parent, public: file.public, private: file.private })
  }

  /** Runs `use` with the first parent that the key was wrapped by. */
  async #withParent<T>(use: (parent: TpmHandle) => Promise<T>): Promise<T> {
    const { tpm, openers, options } = this.#parts
    let cause: unknown
    for (const open of openers) {
      try {
        return await tpm.withHandle(open(tpm, options.ownerAuth), use)
      } catch (error) {
        if (!isForeign(error)) throw error
        cause = error
      }
    }
    throw new AttesterError('tss2-foreign', { cause })
  }
}

/** TPM2_Load of what another parent has wrapped. */
function isForeign(error: unknown): boolean {
  return (
    error instanceof Tpm2Error && error.command === 'Load' && error.symbol === 'TPM_RC_INTEGRITY'
  )
}

async function explainAuth<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof Tpm2Error) || cause.code !== 'tpm-authorization-failed') throw cause
    throw new AttesterError('tss2-authorization', { found: cause.text, cause })
  }
}

/**
 * Creates a signing key in the TPM: ES256, fixed to it, below the storage root of the owner hierarchy.
 *
 * @returns the key file, which the caller keeps with mode 0600: TSS2 PRIVATE KEY
 * @throws AttesterError `owner-authorization`; Tpm2Error
 */
export async function createTpmKey(
  tpm: Tpm,
  options: TpmKeyOptions & { readonly description?: string } = {},
): Promise<string> {
  const { auth, ownerAuth, description } = options
  return await withSlots(tpm, async () => {
    const root = await createStorageRoot(tpm, ownerAuth)
    return await tpm.withHandle(root.handle, async parent => {
      const secret = auth === undefined ? {} : { userAuth: auth, protection: parent }
      const created = await tpm.create({ parent, public: subjectKeyTemplate(), ...secret })
      return encodeTss2Key({
        kind: 'loadable',
        emptyAuth: auth === undefined,
        ...(description === undefined ? {} : { description }),
        parent: Hierarchy.owner,
        public: created.public,
        private: created.private,
      })
    })
  })
}
