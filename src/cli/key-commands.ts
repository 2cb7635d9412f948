import type { CommandGroup } from './command.ts'
import { changePassphraseCommand, encryptKeysCommand } from './key-encryption-commands.ts'
import {
  listTokenKeysCommand,
  retireTokenKeyCommand,
  rotateTokenKeyCommand,
} from './token-key-commands.ts'

/** `assay key` */
export const keyCommands: CommandGroup = {
  name: 'key',
  summary: 'The service’s own keys: those that sign tokens, and how all of them are kept.',
  commands: [
    listTokenKeysCommand,
    rotateTokenKeyCommand,
    retireTokenKeyCommand,
    encryptKeysCommand,
    changePassphraseCommand,
  ],
}
