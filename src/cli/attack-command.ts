import { attackCases, playAttacks } from './attack/play.ts'
import type { AttackOutcome, PlayedKit } from './attack/attack-case.ts'
import { defineCommand, type CommandAnswer, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { renderTable } from './table.ts'

const columns = [
  { title: 'attack', cell: (row: AttackOutcome) => row.name },
  { title: 'expected', cell: (row: AttackOutcome) => row.expected },
  { title: 'found', cell: (row: AttackOutcome) => row.found },
  { title: 'twin', cell: (row: AttackOutcome) => row.twin },
  { title: '', cell: (row: AttackOutcome) => (row.isHeld ? 'held' : 'BROKEN') },
]

/** `assay attack` */
export const attackCommand: CommandRow = defineCommand({
  name: 'attack',
  summary: 'Plays forged enrolments against the service of this home and says which it refused.',
  details: [
    'Each attack has a twin without the forgery, which must be let in: a service that refuses everything is found out.',
    'Forged logs of a boot are played where the policy in force asks for such logs; the kit changes no policy.',
    'The kit admits a throwaway manufacturer at assurance emulated, so the service must accept that level. When it is through, every host that it enrolled is revoked and the manufacturer retired; both stay in the audit log.',
    'Run it against a service of your own, for tests; never against one that others rely on.',
  ],
  examples: ['assay attack', "assay attack --json | jq '.attacks[] | select(.isHeld | not)'"],
  run: async ({ session }) => {
    const { client, service } = await connectOperator(session)
    const setup = {
      operator: client,
      connect: (key?: Parameters<typeof session.connect>[2]) =>
        session.connect(service.issuer, service, key),
      now: Date.now(),
    }
    const total = attackCases.length
    let played = 0
    const kit = await playAttacks(setup, attackCases, ({ name }) => {
      played += 1
      session.progress.step(`${played} of ${total}: ${name}`)
    })
    return answerOf(kit)
  },
})

function answerOf({ outcomes: attacks, notPlayed }: PlayedKit): CommandAnswer {
  const held = attacks.filter(row => row.isHeld).length
  const broken = attacks.length - held
  const sum = `${held} of ${attacks.length} attacks were refused for their reason, and their twins let in.`
  return {
    json: { attacks, held, broken, notPlayed },
    lines: [...renderTable(attacks, columns, 'No attack was played.'), '', sum, ...left(notPlayed)],
    isFailure: broken > 0,
  }
}

function left(notPlayed: readonly string[]): string[] {
  if (notPlayed.length === 0) return []
  return [
    `${notPlayed.length} were not played, since no rule of the policy in force looks at what they forge:`,
    ...notPlayed.map(name => `  ${name}`),
  ]
}
