import { timingSafeEqual } from 'node:crypto'

/** Equality that takes as long wherever the first difference is. The length is not a secret. */
export function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}
