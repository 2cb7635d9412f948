import {
  Hierarchy,
  Tpm2Error,
  type CreatedPrimary,
  type Tpm,
  type TpmHandle,
} from '../../native/index.ts'
import { storageRootTemplate } from '../core/tpm/templates.ts'
import { AttesterError, type AttesterErrorCode } from './error.ts'

/** Hierarchies whose primary keys are used here, and what is said when one asks for a value that was not given. */
const refusals = {
  owner: 'owner-authorization',
  endorsement: 'endorsement-authorization',
} as const satisfies Record<string, AttesterErrorCode>

/** How a primary key comes about. */
export interface PrimaryKeyOptions {
  /** The hierarchy's authValue, where the TPM's owner has set one. */
  readonly auth?: Uint8Array | undefined
  /** A key to protect that authValue with on the bus. */
  readonly protection?: TpmHandle | undefined
}

/**
 * Creates a primary key; the same template gives the same key until its hierarchy's seed changes. The hierarchy's
 * authValue is proven, never sent.
 *
 * @param template TPMT_PUBLIC
 * @throws AttesterError `owner-authorization`, `endorsement-authorization`; Tpm2Error
 * @see TPM 2.0 Part 3 r01.59 §24.1
 */
export async function createPrimaryKey(
  tpm: Tpm,
  hierarchy: keyof typeof refusals,
  template: Uint8Array,
  { auth, protection }: PrimaryKeyOptions = {},
): Promise<CreatedPrimary> {
  const request = { hierarchy: Hierarchy[hierarchy], public: template }
  return await explainAuthorization(hierarchy, async () => {
    if (auth === undefined || auth.length === 0) return await tpm.createPrimary(request)
    const proven = { ...request, hierarchyAuth: auth }
    if (protection !== undefined) return await tpm.createPrimary({ ...proven, protection })
    return await withPassingKey(tpm, async salt => {
      return await tpm.createPrimary({ ...proven, protection: salt })
    })
  })
}

/** Turns the refusal of a hierarchy's authValue into the error that says which value is wanted. */
export async function explainAuthorization<T>(
  hierarchy: keyof typeof refusals,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof Tpm2Error) || cause.code !== 'tpm-authorization-failed') throw cause
    throw new AttesterError(refusals[hierarchy], { found: cause.text, cause })
  }
}

/**
 * A key of the null hierarchy, which asks for no authorization, to salt a session with where no certified key is
 * known yet: it hides the authValue from whoever only listens on the bus.
 */
async function withPassingKey<T>(tpm: Tpm, use: (salt: TpmHandle) => Promise<T>): Promise<T> {
  const created = tpm.createPrimary({ hierarchy: Hierarchy.null, public: storageRootTemplate() })
  return await tpm.withHandle(
    created.then(({ handle }) => handle),
    use,
  )
}
