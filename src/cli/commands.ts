import { agentCommands } from './agent-commands.ts'
import { anchorCommands } from './anchor-commands.ts'
import { attackCommand } from './attack-command.ts'
import { auditCommands } from './audit-commands.ts'
import { authorityCommands } from './authority-commands.ts'
import { certificateCommands } from './certificate-commands.ts'
import { certificateListCommands } from './certificate-list-commands.ts'
import { classCommands } from './class-commands.ts'
import type { CommandGroup, CommandRow } from './command.ts'
import { endorsementCommands } from './endorsement-commands.ts'
import { grantCommands } from './grant-commands.ts'
import { hsmKeyCommands } from './hsm-key-commands.ts'
import { federationCommands } from './federation-commands.ts'
import { firmwareCommands } from './firmware-commands.ts'
import { hostCommands } from './host-commands.ts'
import { initCommand } from './init-command.ts'
import { keyCommands } from './key-commands.ts'
import { operatorCommands } from './operator-commands.ts'
import { policyCommands } from './policy-commands.ts'
import { riskCommands } from './risk-commands.ts'
import { serveCommand } from './serve-command.ts'
import { versionCommand } from './version-command.ts'

/** Every command, in the order in which a newcomer meets them. */
export const commands: readonly (CommandGroup | CommandRow)[] = [
  initCommand,
  serveCommand,
  authorityCommands,
  keyCommands,
  federationCommands,
  certificateCommands,
  certificateListCommands,
  anchorCommands,
  policyCommands,
  endorsementCommands,
  firmwareCommands,
  hsmKeyCommands,
  hostCommands,
  classCommands,
  riskCommands,
  grantCommands,
  agentCommands,
  operatorCommands,
  auditCommands,
  attackCommand,
  versionCommand,
]
