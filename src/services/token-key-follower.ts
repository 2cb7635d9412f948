import { keepDoing, type Keeper } from './keeper.ts'
import type { Service } from './service.ts'

/** How soon a key that another process took out verifies nothing here. */
const intervalMs = 1_000

/**
 * Reads the keys of tokens every second, so that several processes on one store go by the same ones.
 *
 * @param report told of what goes wrong, once until it goes right again
 */
export function startTokenKeyFollower(
  { tokenKeys }: Pick<Service, 'tokenKeys'>,
  report: (causes: string) => void,
): Keeper {
  return keepDoing([async () => await tokenKeys.reload()], intervalMs, report)
}
