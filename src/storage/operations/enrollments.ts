import type { EnrollmentRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { keepAttestation, type KeptRow } from './attestations.ts'

const insert = statement<EnrollmentRow>()((db, is) =>
  db.insertInto('enrollments').values({
    id: is.id,
    name: is.name,
    nonce: is.nonce,
    secret: is.secret,
    endorsement_certificate: is.endorsement_certificate,
    endorsement_chain: is.endorsement_chain,
    endorsement_public: is.endorsement_public,
    attestation_public: is.attestation_public,
    pcrs: is.pcrs,
    host_state_version: is.host_state_version,
    hsm: is.hsm,
    created_at: is.created_at,
    expires_at: is.expires_at,
    taken: is.taken,
  }),
)

const find = statement<{ id: string }>()((db, is) =>
  db.selectFrom('enrollments').selectAll().where('id', '=', is.id),
)

const findState = statement<{ id: string }>()((db, is) =>
  db.selectFrom('enrollments').select(['taken', 'expires_at']).where('id', '=', is.id),
)

/**
 * Conditional, so that one of two simultaneous nodes changes a row and the other none. What names the machine goes with
 * the secret: what is left tells a second answer why it comes too late.
 */
const take = statement<{ id: string }>()((db, is) =>
  db
    .updateTable('enrollments')
    .set({
      taken: 1,
      secret: null,
      endorsement_certificate: null,
      endorsement_chain: '[]',
      endorsement_public: new Uint8Array(0),
      attestation_public: new Uint8Array(0),
      hsm: null,
    })
    .where('id', '=', is.id)
    .where('taken', '=', 0),
)

/** See `EnrollmentStore.create`. */
export async function createEnrollment(
  tx: Transaction,
  enrollment: EnrollmentRow,
  entry: string,
): Promise<'done'> {
  await tx.run(insert, enrollment)
  tx.append(entry)
  return 'done'
}

/** See `EnrollmentStore.isOpen`. */
export async function isEnrollmentOpen(tx: Transaction, id: string, now: number): Promise<boolean> {
  const state = await tx.first(findState, { id })
  return state !== undefined && state.taken === 0 && now < state.expires_at
}

/** See `EnrollmentStore.take`. Secret and keys leave the table with the answer. */
export async function takeEnrollment(
  tx: Transaction,
  id: string,
  now: number,
): Promise<EnrollmentRow | 'unknown' | 'used' | 'expired'> {
  const enrollment = await tx.first(find, { id })
  if (enrollment === undefined) return tx.refuse('unknown')
  if (enrollment.taken !== 0) return tx.refuse('used')
  if (now >= enrollment.expires_at) return tx.refuse('expired')
  return (await tx.run(take, { id })) === 1 ? enrollment : tx.refuse('used')
}

/** See `EnrollmentStore.refuse`; a challenge not yet taken dies with it. */
export async function refuseEnrollment(
  tx: Transaction,
  id: string,
  kept: KeptRow | null,
  entry: string,
): Promise<'done'> {
  await tx.run(take, { id })
  if (kept !== null) await keepAttestation(tx, kept)
  tx.append(entry)
  return 'done'
}
