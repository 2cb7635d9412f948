import { Tpm2Error, type Tpm, type TpmHandle } from '../../native/index.ts'
import { AttesterError } from './error.ts'

/** What the users of one TPM in this process share: whose turn it is, and the one object that stays loaded. */
interface Slots {
  turn: Promise<unknown>
  waiting: number
  resident: Resident | undefined
}

interface Resident {
  readonly owner: object
  readonly tpm: Tpm
  readonly handle: TpmHandle
}

// By TCTI: two connections to one TPM without a resource manager share its three slots.
const slotsByTcti = new Map<string, Slots>()

/**
 * Runs a procedure of several commands by itself: no other procedure of this process is half way through on the
 * same TPM, and nothing of this process is loaded. Without a resource manager a TPM has three slots for objects, and
 * no procedure here needs more.
 *
 * Procedures are not nested: `work` must not call this again for the same TPM.
 */
export async function withSlots<T>(tpm: Tpm, work: () => Promise<T>): Promise<T> {
  return await inTurn(tpm, async slots => {
    await unload(slots)
    return await work()
  })
}

/**
 * As {@link withSlots}, with an object that stays loaded until another procedure wants the slots: signing again needs
 * one command, not three. What a reset of the TPM took away is loaded again, once.
 *
 * @param owner for whom the object is kept; the same owner gets the same object
 */
export async function withResident<T>(
  tpm: Tpm,
  owner: object,
  load: () => Promise<TpmHandle>,
  use: (handle: TpmHandle) => Promise<T>,
): Promise<T> {
  return await inTurn(tpm, async slots => {
    const kept = slots.resident?.owner === owner
    try {
      return await use(await resident(slots, tpm, owner, load))
    } catch (error) {
      await unload(slots)
      if (!kept || !isGone(error)) throw error
      return await use(await resident(slots, tpm, owner, load))
    }
  })
}

/** Flushes what is kept for an owner, if anything is. */
export async function releaseResident(tpm: Tpm, owner: object): Promise<void> {
  await inTurn(tpm, async slots => {
    if (slots.resident?.owner === owner) await unload(slots)
  })
}

async function resident(
  slots: Slots,
  tpm: Tpm,
  owner: object,
  load: () => Promise<TpmHandle>,
): Promise<TpmHandle> {
  if (slots.resident?.owner === owner) return slots.resident.handle
  await unload(slots)
  const handle = await load()
  slots.resident = { owner, tpm, handle }
  return handle
}

async function unload(slots: Slots): Promise<void> {
  const { resident: kept } = slots
  slots.resident = undefined
  // On a connection that is closed or lost, the TPM or its resource manager has taken the object back already.
  await kept?.tpm.flush(kept.handle).catch(() => undefined)
}

/** After a reset the handle is empty, or, without a resource manager, somebody else's object lies there. */
function isGone(error: unknown): boolean {
  if (error instanceof AttesterError) return error.code === 'signature-wrong'
  if (!(error instanceof Tpm2Error)) return false
  return error.code === 'tpm-handle-unknown' || error.code === 'tpm-handle-released'
}

async function inTurn<T>(tpm: Tpm, work: (slots: Slots) => Promise<T>): Promise<T> {
  const slots = slotsByTcti.get(tpm.tcti) ?? {
    turn: Promise.resolve(),
    waiting: 0,
    resident: undefined,
  }
  slotsByTcti.set(tpm.tcti, slots)
  slots.waiting += 1
  const result = slots.turn.then(async () => await work(slots))
  slots.turn = result.catch(() => undefined)
  try {
    return await result
  } finally {
    slots.waiting -= 1
    if (slots.waiting === 0 && slots.resident === undefined) slotsByTcti.delete(tpm.tcti)
  }
}
