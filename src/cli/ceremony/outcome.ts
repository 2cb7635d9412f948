import { createHash } from 'node:crypto'
import { encodePem } from '../../attester/pem.ts'
import { CeremonyError } from '../../core/ceremony/error.ts'
import { writeOutput, type CeremonyOutput } from './place.ts'

/** What the people who are present compare, by name. */
export type CeremonyFacts = Readonly<Record<string, string | number | null>>

/** What a ceremony has made, or would make. */
export interface CeremonyOutcome {
  readonly facts: CeremonyFacts
  /** In the order in which they are written: a key before what was signed with it. */
  readonly outputs: readonly CeremonyOutput[]
}

/** Lower-case hex. */
export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A public document as PEM. */
export function pemOutput(
  path: string,
  label: string,
  blocks: readonly Uint8Array[],
): CeremonyOutput {
  return { path, text: blocks.map(block => encodePem(label, block)).join(''), isSecret: false }
}

/** Unix milliseconds as the file writes them. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

/** What was signed, so that it can be told apart, revoked or followed. */
const signedFacts = ['serial', 'certificateSha256', 'requestSha256', 'number', 'listSha256']

/**
 * Writes all that a ceremony made; where one of them cannot be, those before it stay.
 *
 * @throws CeremonyError `ceremony-unwritten`, naming what was signed
 */
export async function writeOutputs({ facts, outputs }: CeremonyOutcome): Promise<void> {
  for (const [index, output] of outputs.entries()) {
    try {
      await writeOutput(output)
    } catch (cause) {
      const named = signedFacts.filter(name => name in facts).map(name => `${name} ${facts[name]}`)
      const lost = outputs.slice(index).map(({ path }) => path)
      throw new CeremonyError('ceremony-unwritten', {
        expected: `${lost.join(', ')} to be written`,
        found: `${String((cause as NodeJS.ErrnoException).code)}; signed: ${named.join(', ')}`,
        cause,
      })
    }
  }
}
