import { Option } from 'commander'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { CeremonyFacts, CeremonyOutcome } from './ceremony/outcome.ts'
import type { CeremonyScript } from './ceremony/script.ts'
import { CommandError } from './command-error.ts'
import { defineCommand, type CommandAnswer, type CommandRow } from './command.ts'
import type { Session } from './session.ts'
import { renderFacts } from './table.ts'

/** `assay ca ceremony` */
export const ceremonyCommand: CommandRow = defineCommand<{ readonly check?: true }>({
  name: 'ceremony',
  args: '<file>',
  summary: 'Holds a key ceremony as a reviewed file says: one file in, key and certificate out.',
  details: [
    'Kinds: root, request (for a certificate of a key that lives here), intermediate, cross-certificate, crl (of an offline authority). ca/ceremony has an example of each; paths in a file are relative to its folder, and the digests, zeros in the examples, are those that were compared over another channel. Keys are files, in clear where no passphraseFile is named, or pkcs11: URIs with pin-source.',
    'Needs no service and no network. Everything is linted before a key signs it, nothing is overwritten, and what is printed is for the people present to compare.',
  ],
  examples: ['assay ca ceremony root.json --check', 'assay ca ceremony root.json'],
  options: [new Option('--check', 'lint, and print what would be made; sign and write nothing')],
  run: async ({ session, args: [path = ''], options }) =>
    await runCeremony(session, path, options.check === true),
})

async function runCeremony(
  session: Session,
  path: string,
  isCheck: boolean,
): Promise<CommandAnswer> {
  const { parseCeremony } = await import('./ceremony/script.ts')
  const { holdCeremony } = await import('./ceremony/hold.ts')
  const { sha256Of } = await import('./ceremony/outcome.ts')
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new CommandError('file-unreadable', { expected: 'a ceremony file', found: path, cause })
  })
  const script = parseCeremony(bytes.toString('utf8'))
  const outcome = await holdCeremony(script, await createContext(session, path, isCheck))
  return answerOf(script, sha256Of(bytes), outcome, isCheck)
}

async function createContext(session: Session, path: string, isCheck: boolean) {
  const { placeIn } = await import('./ceremony/place.ts')
  const { createThrowawaySigners } = await import('../hsm/throwaway-key.ts')
  const { loadAuthorityProfiles } = await import('../shipped-tables.ts')
  return {
    issuance: { profiles: loadAuthorityProfiles(), throwaway: createThrowawaySigners() },
    now: Date.now(),
    random: (length: number) => randomBytes(length),
    isCheck,
    place: placeIn(dirname(resolve(path))),
    pinSource: session.environment.pinSource,
  }
}

function answerOf(
  { ceremony }: CeremonyScript,
  scriptSha256: string,
  { facts, outputs }: CeremonyOutcome,
  isCheck: boolean,
): CommandAnswer {
  const files = outputs.map(({ path }) => path)
  const told: CeremonyFacts = { scriptSha256, ...facts }
  return {
    json: { ceremony, check: isCheck, ...told, files },
    lines: [
      isCheck
        ? 'Everything holds. Nothing was signed, and nothing written.'
        : 'The ceremony is held. Compare these with what was reviewed:',
      ...renderFacts([
        ['ceremony', ceremony],
        ...Object.entries(told).map(([name, value]) => [wordsOf(name), String(value)] as const),
        ...files.map(path => ['written', path] as const),
      ]),
    ],
  }
}

/** `keySha256` as people say it. */
function wordsOf(name: string): string {
  return name
    .replace(/Sha256$/, ' SHA-256')
    .replaceAll(/[a-z](?=[A-Z][a-z])/g, '$& ')
    .replaceAll(/ [A-Z](?=[a-z])/g, letter => letter.toLowerCase())
}
