import { printable } from '../attester/remote-error.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'

/** What a simulation found, in lines: every host that would change, with the lines of the verdict that make it so. */
export function simulationLines(answer: ShownRecord): string[] {
  const changes = recordsOf(answer, 'changes')
  const unjudged = answer['unjudged']
  const missing = Array.isArray(unjudged) ? unjudged.map(String) : []
  const judged = cellOf(answer, 'judged')
  return [
    `${changes.length} of ${judged} hosts would change.`,
    ...changes.flatMap(changeLines),
    ...(missing.length === 0
      ? []
      : ['', `Without evidence that can be judged: ${missing.map(printable).join(', ')}`]),
  ]
}

function changeLines(change: ShownRecord): string[] {
  const [from, to] = [recordOf(change['from']), recordOf(change['to'])]
  const admitted = to['accepted'] === true ? 'admitted' : 'not admitted'
  return [
    '',
    printable(`${cellOf(change, 'name')} (${cellOf(change, 'host')})`),
    printable(`  ${cellOf(from, 'status')} → ${cellOf(to, 'status')}, ${admitted}`),
    ...recordsOf(change, 'because').flatMap(line => [
      printable(`  ${cellOf(line, 'outcome')}: ${cellOf(line, 'rule')} ${cellOf(line, 'found')}`),
      printable(`    wanted: ${cellOf(line, 'expected')}`),
    ]),
  ]
}
