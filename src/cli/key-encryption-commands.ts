import { Option } from 'commander'
import { resolve } from 'node:path'
import type { ResealedKeys } from '../key-encryption.ts'
import { defineCommand, type CommandAnswer, type CommandRow } from './command.ts'
import type { Session } from './session.ts'
import { renderFacts } from './table.ts'

interface DirectoryOption {
  readonly data?: string
}

const dataOption = (): Option =>
  new Option('--data <directory>', 'where the service keeps its state (ASSAY_DATA)')

const sources =
  'The passphrase comes from the file that ASSAY_KEY_PASSPHRASE_FILE names, from the systemd credential assay-key-passphrase, or from the file passphrase of the data directory, whichever is found first. It is never an argument.'

const places: Readonly<Record<ResealedKeys['passphrase'], string>> = {
  file: 'a file outside of the data directory',
  credential: 'the systemd credential assay-key-passphrase',
  data: 'the file passphrase of the data directory: keep it out of backups',
}

/** `assay key encrypt` */
export const encryptKeysCommand: CommandRow = defineCommand<DirectoryOption>({
  name: 'encrypt',
  summary: 'Encrypts the keys of a data directory that was made before keys were.',
  details: [
    'While the service does not run. Keys that are encrypted already stay as they are; after a crash, call it again. Where there is no passphrase, one is made and kept in the data directory.',
    sources,
    'What was on the disk in clear may still be there for who reads the raw medium: rotate the keys where that matters.',
  ],
  examples: ['assay key encrypt', 'assay key encrypt --data /var/lib/assay'],
  options: [dataOption()],
  run: async ({ session, options }) => {
    const { encryptKeys } = await import('../key-encryption.ts')
    const directory = directoryOf(session, options)
    return answer('The keys are encrypted.', await encryptKeys(directory, sourcesOf(session)))
  },
})

/** `assay key passphrase` */
export const changePassphraseCommand: CommandRow = defineCommand<
  DirectoryOption & { readonly newPassphraseFile?: string }
>({
  name: 'passphrase',
  summary: 'Puts the keys of a data directory under another passphrase.',
  details: [
    'While the service does not run. With --new-passphrase-file the new one is that of the file, and from then on it comes from outside: the file passphrase of the data directory is removed. Without, a new one is made there. After a crash, call it again in the same way.',
    sources,
  ],
  examples: ['assay key passphrase', 'assay key passphrase --new-passphrase-file /run/keys/assay'],
  options: [
    dataOption(),
    new Option('--new-passphrase-file <path>', 'file of the new passphrase, of mode 0600'),
  ],
  run: async ({ session, options }) => {
    const { changePassphrase } = await import('../key-encryption.ts')
    const { newPassphraseFile: next } = options
    const path = next === undefined ? undefined : resolve(next)
    const directory = directoryOf(session, options)
    const done = await changePassphrase(directory, sourcesOf(session), path)
    return answer('The passphrase is changed.', done)
  },
})

function directoryOf({ environment }: Session, { data }: DirectoryOption): string {
  return data === undefined ? environment.dataDirectory : resolve(data)
}

function sourcesOf({ environment }: Session): Session['environment']['keyPassphrase'] {
  return environment.keyPassphrase
}

function answer(sentence: string, done: ResealedKeys): CommandAnswer {
  const facts = renderFacts([
    ['files written', String(done.written)],
    ['passphrase', places[done.passphrase]],
  ])
  return { json: done, lines: [sentence, ...facts] }
}
