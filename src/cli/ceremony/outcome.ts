import { createHash } from 'node:crypto'
import { encodePem } from '../../attester/pem.ts'
import { requireAbsent, writeOutput, type CeremonyOutput } from './place.ts'

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

/** Writes all that a ceremony made; where one of them cannot be, those before it stay. */
export async function writeOutputs(outputs: readonly CeremonyOutput[]): Promise<void> {
  requireAbsent(outputs.map(({ path }) => path))
  for (const output of outputs) await writeOutput(output)
}
