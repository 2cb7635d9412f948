import type { CommandGroup } from './command.ts'
import { changePassphraseCommand, encryptKeysCommand } from './key-encryption-commands.ts'

/** `assay key` */
export const keyCommands: CommandGroup = {
  name: 'key',
  summary: 'The service’s own keys: at rest, and those that sign tokens.',
  commands: [encryptKeysCommand, changePassphraseCommand],
}
