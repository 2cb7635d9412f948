import { ResourceError } from './error.ts'

/** Remembers which proofs were used. Give a shared one where several processes serve one resource. */
export interface ReplayMemory {
  /**
   * Takes a key for the first time: true; false when it was taken before. Of any number of simultaneous callers one
   * gets true.
   *
   * @param expiresAt Unix milliseconds until which it must be remembered
   */
  spend(key: string, expiresAt: number, now: number): boolean | Promise<boolean>
}

/**
 * A memory of this process. It forgets what is past its time and nothing else: when it is full, proofs are refused.
 *
 * @throws ResourceError `replay-memory-full` from `spend`
 */
export function createReplayMemory(capacity = 200_000): ReplayMemory {
  const current = new Map<string, number>()
  return {
    spend: (key, expiresAt, now) => {
      if (current.has(key)) return false
      if (current.size >= capacity) forget(current, now)
      if (current.size >= capacity)
        throw new ResourceError('replay-memory-full', { found: `${capacity} proofs` })
      current.set(key, expiresAt)
      return true
    },
  }
}

function forget(memory: Map<string, number>, now: number): void {
  for (const [key, expiresAt] of memory) if (expiresAt <= now) memory.delete(key)
}
