import type { ClientsWorld } from './world.ts'

/** One thing that a client does, which it would not get through if the service did not keep to the standard. */
export interface Step {
  /** Library or program. */
  readonly client: string
  readonly does: string
  /** Rejects where it came out otherwise. */
  run(world: ClientsWorld): Promise<void>
}

/** Says what was expected. */
export function expect(condition: boolean, expected: string): asserts condition {
  if (!condition) throw new Error(`expected ${expected}`)
}

/** The error that a call is refused with; a call that is let in is the failure here. */
export async function refusal(call: Promise<unknown>): Promise<Error & { error?: string }> {
  try {
    await call
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  throw new Error('expected a refusal')
}
