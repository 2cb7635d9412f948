import { Option } from 'commander'
import { attackCases, playAttacks } from './attack/play.ts'
import type { AttackCase, AttackOutcome, PlayedKit } from './attack/attack-case.ts'
import { defineCommand, type CommandAnswer, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { renderTable } from './table.ts'
import { UsageError } from './usage-error.ts'

const columns = [
  { title: 'attack', cell: (row: AttackOutcome) => row.name },
  { title: 'expected', cell: (row: AttackOutcome) => row.expected },
  { title: 'found', cell: (row: AttackOutcome) => row.found },
  { title: 'twin', cell: (row: AttackOutcome) => row.twin },
  { title: '', cell: (row: AttackOutcome) => (row.isHeld ? 'held' : 'BROKEN') },
]

/** `assay attack` */
export const attackCommand: CommandRow = defineCommand<{ only?: string }>({
  name: 'attack',
  summary: 'Plays forged enrolments against the service of this home and says which it refused.',
  details: [
    'Each attack has a twin without the forgery, which must be let in: a service that refuses everything is found out.',
    'Forged logs of a boot are played where the policy in force asks for such logs, and forged keys of HSMs where it admits hsm-attested or hsm-declared; the kit changes no policy.',
    'The kit admits throwaway manufacturers at the levels emulated and hsm-attested, and registers attestation keys of HSMs. When it is through, all of these are retired and every host that it enrolled is revoked; they stay in the audit log. What could not be taken back is named. The class of agents that it registers stays, without a host.',
    'Run it against a service of your own, for tests; never against one that others rely on.',
  ],
  examples: ['assay attack', "assay attack --json | jq '.attacks[] | select(.isHeld | not)'"],
  options: [new Option('--only <text>', 'plays the attacks alone whose name has this text in it')],
  run: async ({ session, options: { only = '' } }) => {
    const cases = casesNamed(only)
    const { client, service } = await connectOperator(session)
    const setup = {
      operator: client,
      connect: (key?: Parameters<typeof session.connect>[2]) =>
        session.connect(service.issuer, service, key),
      now: Date.now(),
    }
    const total = cases.length
    let played = 0
    const kit = await playAttacks(setup, cases, ({ name }) => {
      played += 1
      session.progress.step(`${played} of ${total}: ${name}`)
    })
    return answerOf(kit)
  },
})

/** Throws UsageError `usage-malformed` for a text that no name has in it. */
function casesNamed(text: string): readonly AttackCase[] {
  const named = attackCases.filter(({ name }) => name.includes(text))
  if (named.length === 0)
    throw new UsageError('usage-malformed', {
      expected: 'text in the name of an attack',
      found: text,
    })
  return named
}

function answerOf({ outcomes: attacks, notPlayed }: PlayedKit): CommandAnswer {
  const held = attacks.filter(row => row.isHeld).length
  const broken = attacks.length - held
  const sum = `${held} of ${attacks.length} attacks were refused for their reason, and their twins let in.`
  return {
    json: { attacks, held, broken, notPlayed },
    lines: [...renderTable(attacks, columns, 'No attack was played.'), '', sum, ...left(notPlayed)],
    // Nothing was shown by a kit of which nothing was played.
    isFailure: broken > 0 || attacks.length === 0,
  }
}

function left(notPlayed: readonly string[]): string[] {
  if (notPlayed.length === 0) return []
  return [
    `${notPlayed.length} were not played, since the policy in force does not look at what they forge, or admits no such hardware:`,
    ...notPlayed.map(name => `  ${name}`),
  ]
}
