import { Hierarchy, type Tpm, type TpmHandle } from '../../native/index.ts'
import { TPM_ALG } from '../core/tpm/algorithm.ts'
import { TPMA_OBJECT } from '../core/tpm/attributes.ts'
import { encodeTpmtPublic, parseTpmtPublic, type TpmtPublic } from '../core/tpm/public.ts'
import { storageRootTemplate } from '../core/tpm/templates.ts'
import { AttesterError } from './error.ts'
import { createPrimaryKey } from './primary-key.ts'
import type { Tss2Key } from './tss2-key.ts'

/** The storage key below which subject keys are created: P-256, a primary of the owner hierarchy. */
export async function createStorageRoot(
  tpm: Tpm,
  ownerAuth?: Uint8Array,
): Promise<{ handle: TpmHandle; public: Uint8Array }> {
  return await createPrimaryKey(tpm, 'owner', storageRootTemplate(), { auth: ownerAuth })
}

/** One way to reach the parent of a key file. */
export type ParentOpener = (tpm: Tpm, ownerAuth?: Uint8Array) => Promise<TpmHandle>

/**
 * The ways to reach the parent that a key file names, the likely one first: tools differ in whether the primary key
 * is subject to dictionary-attack protection.
 *
 * @throws AttesterError `tss2-parent`
 * @see draft-bottomley-tpm2-keys §3.1.8
 */
export function parentOpeners({
  parent,
  rsaParent,
}: Pick<Tss2Key, 'parent' | 'rsaParent'>): ParentOpener[] {
  if (parent >>> 24 === 0x81) return [async tpm => await tpm.openHandle(parent)]
  if (parent !== Hierarchy.owner) {
    throw new AttesterError('tss2-parent', { found: `0x${parent.toString(16)}` })
  }
  return storageTemplates(rsaParent === true).map(template => async (tpm, ownerAuth) => {
    return (await createPrimaryKey(tpm, 'owner', template, { auth: ownerAuth })).handle
  })
}

function storageTemplates(isRsa: boolean): Uint8Array[] {
  const area = parseTpmtPublic(storageRootTemplate())
  const first = isRsa ? rsaStorage(area) : area
  const second = { ...first, objectAttributes: first.objectAttributes & ~TPMA_OBJECT.noDA }
  return [first, second].map(encodeTpmtPublic)
}

/** TCG TPM v2.0 Provisioning Guidance v1.0 §7.5.1: the RSA-2048 twin. */
function rsaStorage({ nameAlg, objectAttributes, authPolicy, symmetric }: TpmtPublic): TpmtPublic {
  const shared = { nameAlg, objectAttributes, authPolicy, symmetric, scheme: undefined }
  return { type: TPM_ALG.RSA, ...shared, keyBits: 2048, exponent: 0, modulus: new Uint8Array() }
}
