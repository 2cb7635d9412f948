import test from 'ava'
import type { CommandGroup, CommandRow } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/commands.ts'
import { createProgram } from '../../src/cli/program.ts'
import { runCli } from './run-cli.ts'

type Row = readonly [string[], CommandRow]

function rowsOf(list: readonly (CommandGroup | CommandRow)[], path: readonly string[] = []): Row[] {
  return list.flatMap((row): Row[] => {
    const own = [...path, row.name]
    return 'commands' in row ? rowsOf(row.commands, own) : [[own, row]]
  })
}

const rows = rowsOf(commands)

test('the help of the program names each group and command, an example and the exit codes', async t => {
  const help = await runCli(['--help'])
  t.is(help.status, 0)
  t.is(help.stderr, '')
  for (const { name } of commands) t.regex(help.stdout, new RegExp(`^ {2}${name}\\b`, 'm'))
  t.regex(help.stdout, /^Example, from nothing to a token:$/m)
  t.regex(help.stdout, /Exit codes: 0 .*1 .*2 /)
})

for (const [path, row] of rows) {
  test(`the help of ${path.join(' ')} says what it does, has --json, and ends with an example`, async t => {
    const help = await runCli([...path, '--help'])
    t.is(help.status, 0)
    t.is(help.stderr, '')
    t.regex(help.stdout, new RegExp(`^Usage: assay ${path.join(' ')}`))
    t.true(help.stdout.includes(row.summary.slice(0, 30)))
    for (const option of ['--json', '--home', '--verbose']) t.true(help.stdout.includes(option))
    const [, examples = ''] = help.stdout.split(/^Examples?:$/m)
    t.regex(examples, new RegExp(`^ {2}\\$ assay ${path.join(' ')}\\b`, 'm'))
  })
}

/** The words of a line of the shell up to a pipe or redirection; placeholders filled in. */
function wordsOf(line: string): string[] {
  const filled = line.replaceAll('sha256:…', `sha256:${'0'.repeat(64)}`)
  const words = Array.from(
    filled.matchAll(/'([^']*)'|(\S+)/g),
    ([, quoted, plain]) => quoted ?? plain ?? '',
  )
  const end = words.findIndex(word => ['|', '>', '&'].includes(word))
  return end < 0 ? words : words.slice(0, end)
}

for (const [path, row] of rows) {
  for (const example of row.examples) {
    test(`the example is a command line that is taken: ${example}`, async t => {
      const refused: string[] = []
      const quiet = { write: (text: string | Uint8Array) => refused.push(String(text)) > 0 }
      let ran: CommandRow | undefined
      const program = createProgram(commands, { stdout: quiet, stderr: quiet }, async taken => {
        ran = taken
      })
      const [name, ...words] = wordsOf(example)
      t.is(name, 'assay')
      await program.parseAsync(words, { from: 'user' })
      t.deepEqual(refused, [])
      t.is(ran, row, path.join(' '))
    })
  }
}

const wrong: readonly (readonly string[])[] = [
  [],
  ['nonsense'],
  ['anchor'],
  ['anchor', 'nonsense'],
  ['anchor', 'add'],
  ['anchor', 'list', 'more'],
  ['anchor', 'list', '--nonsense'],
  ['anchor', 'crl'],
  ['anchor', 'crl', 'add'],
  ['anchor', 'approve', '--nonsense'],
  ['anchor', 'retire', 'x'],
  ['anchor', 'diff', '--from', 'x'],
  ['anchor', 'import', 'x', '--assurance', 'good'],
  ['endorsement', 'approve', 'x'],
  ['endorsement', 'approve', 'x', '--digest', 'abc'],
  ['endorsement', 'add', 'abc'],
  ['class', 'register', 'x', '--audience', 'https://a'],
  ['class', 'register', 'x', '--audience', '', '--host', '*'],
  ['class', 'register', 'x', '--audience', 'https://a', '--host', '*', '--token-lifetime', '10'],
  ['class', 'register', 'x', '--audience', 'https://a', '--host', '*', '--token-lifetime', '1e2'],
  ['host', 'show'],
  ['host', 'revoke', 'x'],
  ['host', 'revoke', 'x', '--reason', ' '],
  ['host', 'enroll', 'https://a.example', '--fingerprint', 'sha256:12'],
  ['agent', 'create'],
  ['agent', 'token', 'x', '--proof', 'GET'],
  ['agent', 'token', 'x', '--proof', 'GET', 'ftp://a.example'],
  ['agent', 'token', 'x', '--proof', 'GET', 'https://a.example', 'more'],
  ['agent', 'token', 'x', '--nonce', 'abc'],
  ['audit', 'show', '--limit', '0'],
  ['audit', 'show', '--since', 'yesterday'],
  ['operator', 'add', 'x.json'],
  ['operator', 'add', 'x.json', '--role', 'king'],
  ['operator', 'request', 'https://a.example', '--name', 'bob'],
]

for (const line of wrong) {
  test(`wrong usage ends with 2 and answers nothing: assay ${line.join(' ')}`, async t => {
    const ran = await runCli(line)
    t.is(ran.status, 2)
    t.is(ran.stdout, '')
    t.not(ran.stderr, '')
    t.notRegex(ran.stderr, /internal-error|\n +at /)
    const document = await runCli([...line, '--json'])
    t.is(document.status, 2)
    if (line.length > 1) t.truthy((document.json() as { error?: { code?: string } }).error?.code)
  })
}

test('a word that is nearly a command is met with the command', async t => {
  t.regex((await runCli(['anchr', 'list'])).stderr, /Did you mean anchor\?/)
})

test('--version prints the version alone', async t => {
  const ran = await runCli(['--version'])
  t.is(ran.status, 0)
  t.regex(ran.stdout, /^\d+\.\d+\.\d+\n$/)
})

test('version is one document with --json, and lines without', async t => {
  const { assay, node } = (await runCli(['version', '--json'])).json() as Record<string, string>
  t.regex(assay ?? '', /^\d+\.\d+\.\d+/)
  t.is(node, process.versions.node)
  t.regex((await runCli(['version'])).stdout, /^assay: +\d/)
})
