import { printable } from '../attester/remote-error.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'

/** What a simulation of authorization found, in lines: who would lose what, and which policies make it so. */
export function authorizationSimulationLines(answer: ShownRecord): string[] {
  const changes = recordsOf(answer, 'changes')
  const [hosts, agents, idle] = ['hostsThatLose', 'agentsThatLose', 'idle'].map(name =>
    printable(cellOf(answer, name)),
  )
  return [
    `${changes.length} of ${cellOf(answer, 'judged')} requests would be answered otherwise.`,
    `Hosts that would lose something:  ${hosts || 'none'}`,
    `Agents that would lose something: ${agents || 'none'}`,
    ...changes.flatMap(changeLines),
    ...(idle === '' ? [] : ['', `Policies that decide nothing of this: ${idle}`]),
  ]
}

function changeLines(change: ShownRecord): string[] {
  const [from, to] = [recordOf(change['from']), recordOf(change['to'])]
  const decision = cellOf(change, 'decision')
  const who = `${cellOf(change, 'kind')} ${cellOf(change, 'id')}`
  return [
    '',
    printable(`${who}: ${cellOf(change, 'action')} for ${cellOf(change, 'audience')}`),
    printable(`  ${answerText(from)} → ${answerText(to)}`),
    printable(`  ${decision === '' ? 'as things are now' : `as in decision ${decision}`}`),
  ]
}

function answerText(answer: ShownRecord): string {
  const granted = answer['granted']
  const left =
    granted === null
      ? ''
      : ` ${cellOf(recordOf(granted), 'lifetimeSeconds')} s ${cellOf(recordOf(granted), 'scopes')}`
  const by = cellOf(answer, 'policies') || 'no policy'
  const outcome = answer['requestable'] === true ? 'requestable' : cellOf(answer, 'outcome')
  return `${outcome} by ${by}${left.trimEnd()} ${cellOf(answer, 'errors')}`.trim()
}
