import { Option } from 'commander'
import { resolve } from 'node:path'
import { defineCommand, type CommandRow } from './command.ts'
import { renderFacts } from './table.ts'
import { someText, UsageError, valueOf } from './usage-error.ts'

interface RecoverOptions {
  readonly data?: string
  readonly reason?: string
}

/** `assay policy recover` */
export const recoverCommand: CommandRow = defineCommand<RecoverOptions>({
  name: 'recover',
  summary:
    'Puts the shipped authorization policies into force where those of the service let no operator in.',
  details: [
    'On the machine of the service, while it does not run, by whoever may read its data directory: the key of the audit log and the passphrase of the keys are needed, and no operator’s key. The set is ca/authorization-starter.cedar of this version, kept as a new version; the one that was in force stays among the versions.',
    'The log names local-console and the reason in the place of an operator and a signature. An operator then proposes and activates another set as ever.',
    'Operators are not made by it: where all of them are revoked or their keys are lost, no policy is in the way.',
  ],
  examples: ["assay policy recover --reason 'version 7 forbids every operator'"],
  options: [
    new Option('--reason <text>', 'why; stands in the audit log').argParser(valueOf(someText)),
    new Option('--data <directory>', 'where the service keeps its state (ASSAY_DATA)'),
  ],
  run: async ({ session, options: { reason, data } }) => {
    if (reason === undefined) throw new UsageError('usage-missing', { expected: '--reason' })
    const { environment } = session
    const directory = data === undefined ? environment.dataDirectory : resolve(data)
    const { recoverPolicies } = await import('../policy-recovery.ts')
    const recovered = await recoverPolicies(directory, environment.keyPassphrase, reason)
    const { version, id, replaces } = recovered
    return {
      json: recovered,
      lines: [
        `Version ${version} is in force once the service runs: the policies that this version of Assay ships.`,
        ...renderFacts([
          ['digest', id],
          ['in place of', replaces === null ? 'none' : `version ${replaces}`],
        ]),
      ],
    }
  },
})
