import { Command, Option } from 'commander'
import type { CommandAnswer, CommandGroup, CommandRow } from './command.ts'
import type { Streams } from './output.ts'
import { version } from './version-command.ts'

/** Runs one row with what was given for it. */
export type Execute = (
  row: CommandRow,
  args: readonly (string | undefined)[],
  options: object,
) => Promise<CommandAnswer | void>

function commonOptions(): Option[] {
  return [
    new Option('--json', 'print one JSON document and nothing else'),
    new Option(
      '--home <directory>',
      'where this client keeps whom it trusts and who it is (ASSAY_HOME)',
    ),
    new Option('--verbose', 'say each step on stderr'),
  ]
}

/** The command line as commander parses it. Nothing in it ends the process: what it refuses, it throws. */
export function createProgram(
  rows: readonly (CommandGroup | CommandRow)[],
  streams: Streams,
  execute: Execute,
): Command {
  const program = new Command('assay')
    .description(
      'Proves what a machine is with its own TPM or HSM, and gives each AI agent on it an identity that cannot be stolen.',
    )
    .version(version, '--version', 'print the version')
    .exitOverride()
    .configureOutput({
      writeOut: text => streams.stdout.write(text),
      writeErr: text => streams.stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('(add --help for what the command takes, and an example)')
    .addHelpText('after', overview)
  addRows(program, rows, execute)
  return program
}

const overview = `
Example, from nothing to a token:
  $ assay init --issuer https://assay.example:8443 --allow-emulated
  $ assay serve &
  $ assay anchor add manufacturer.pem --name acme --vendor id:49465800 --assurance tpm-discrete
  $ assay class register coder --audience https://api.example --scope read --host '*'
  $ assay host enroll https://assay.example:8443 --fingerprint sha256:…
  $ assay agent create --class coder
  $ assay agent token

Exit codes: 0 done, 1 refused or failed (the code says why), 2 wrong usage.
Environment: ASSAY_HOME (this client), ASSAY_DATA (the service), ASSAY_TCTI (the TPM),
  ASSAY_PIN_SOURCE (file of a PKCS#11 PIN), ASSAY_KEY_PASSPHRASE_FILE (file of the passphrase of the service's keys),
  ASSAY_LOG_LEVEL, NO_COLOR.`

function addGroup(parent: Command, group: CommandGroup, execute: Execute): void {
  const command = parent.command(group.name).description(group.summary)
  addRows(command, group.commands, execute)
}

function addRows(
  parent: Command,
  rows: readonly (CommandGroup | CommandRow)[],
  execute: Execute,
): void {
  for (const row of rows) {
    if ('commands' in row) addGroup(parent, row, execute)
    else addCommand(parent, row, execute)
  }
}

function addCommand(parent: Command, row: CommandRow, execute: Execute): void {
  const command = parent
    .command(row.args === undefined ? row.name : `${row.name} ${row.args}`)
    .description([row.summary, ...(row.details ?? [])].join('\n\n'))
    .summary(row.summary)
    .addHelpText('after', examplesOf(row))
  for (const option of [...(row.options ?? []), ...commonOptions()]) command.addOption(option)
  // commander hands over the arguments, then the options, then the command itself.
  command.action(async (...given: unknown[]) => {
    // One that may be repeated comes as a list.
    const args = (given.slice(0, -2) as (string | undefined | string[])[]).flat()
    await execute(row, args, given.at(-2) as object)
  })
}

function examplesOf({ examples }: CommandRow): string {
  const title = examples.length > 1 ? 'Examples' : 'Example'
  return ['', `${title}:`, ...examples.map(line => `  $ ${line}`)].join('\n')
}
