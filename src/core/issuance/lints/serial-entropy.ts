import { hexOf, type FormLint } from '../lint.ts'

const leastRandom = 8
const leastDistinct = 4

/** 64 bits and more of what the source of randomness gave stand in the serial number, and it gave no constant. */
export const serialEntropy: FormLint = {
  code: 'lint-serial-entropy',
  summary: 'The serial number does not hold 64 bits of randomness.',
  source: 'CA/Browser Forum BR 2.0.1 §7.1; RFC 5280 §8; ca/profiles',
  find: ({ serial }, { serialRandom: random }) => {
    if (random === undefined) return undefined
    // The first octet gives up its two highest bits, so that the number is positive and keeps its length.
    const kept = serial.subarray(1)
    const isKept = Buffer.compare(kept, random.subarray(1)) === 0 && kept.length > leastRandom
    return isKept && new Set(random).size >= leastDistinct ? undefined : hexOf(serial)
  },
}
