import type { CommandGroup } from './command.ts'
import { revokeCommand } from './revoke-command.ts'

const revoke = revokeCommand({
  noun: 'firmware',
  args: '<vendor> <from> <to>',
  summary:
    'Revokes every host whose TPM or HSM has firmware of a range; others of it do not enrol.',
  details: [
    'Versions as in ca/firmware-advisories.json: both ends are within, and 7.61 as the upper one holds all of 7.61.x.y.',
  ],
  example: "assay firmware revoke id:49465800 7.0 7.61 --reason 'CVE-2017-15361' --dry-run",
  target: (vendor = '', from = '', to = '') => ({ kind: 'firmware', vendor, from, to }),
})

/** `assay firmware` */
export const firmwareCommands: CommandGroup = {
  name: 'firmware',
  summary: 'Firmware of TPMs, by vendor and version.',
  commands: [revoke],
}
