import { readFile } from 'node:fs/promises'
import { Option } from 'commander'
import { CommandError } from './command-error.ts'
import { defineCommand, type CommandRow } from './command.ts'
import { loadDetails } from './detail-file.ts'
import { connectAgent } from './agent-machine.ts'
import { tpmOptions, type TpmOptions } from './host-machine.ts'
import { someText, UsageError, valueOf, valuesOf } from './usage-error.ts'

interface TokenOptions extends TpmOptions {
  readonly resource?: string
  readonly scope?: readonly string[]
  readonly details?: string
  readonly proof?: readonly string[]
  readonly nonce?: string
  readonly mayAct?: string
  readonly subjectToken?: string
}

/** `assay agent token` */
export const tokenCommand: CommandRow = defineCommand<TokenOptions>({
  name: 'token',
  args: '[id]',
  summary: 'Fetches an access token for an agent of this machine, by one signature of its TPM key.',
  details: [
    'The token goes to stdout and nowhere else. It is bound to the agent’s key (cnf.jkt): without a proof by that key for each single request it is worth nothing, so it is no secret of the kind that passwords are.',
    'With --may-act the agent that is named, and no other, may exchange the token; with --subject-token it does so, and gets a token of its own that says for whom and through whom it acts. Nothing in it is more than the token had, and it dies with that token.',
    'Where policies ask for an operator’s approval, it is refused with the grant request that was opened by that: once an operator approved it, the same command gets the token.',
    'With --proof it prints both headers of one request, ready for curl; the proof counts once and for two minutes. The id may be left out where this machine has one agent.',
  ],
  examples: [
    'assay agent token 5Jw0… --resource https://api.example --scope tickets:read',
    'assay agent token --may-act spiffe://assay.example/agent/clerk/5Jw0… > token.txt',
    'assay agent token 8Kq1… --subject-token token.txt',
    'assay agent token --proof GET https://api.example/tickets | curl -H @- https://api.example/tickets',
  ],
  options: [
    new Option('--resource <url>', 'the API that it is for (default: the first of the class)'),
    new Option(
      '--scope <scope>',
      'a scope to ask for (again for more; default: all of the class)',
    ).argParser(valuesOf(someText)),
    new Option('--details <file>', 'authorization details to ask for (RFC 9396): a JSON array'),
    new Option('--proof <method-url...>', 'also a DPoP proof for one request: METHOD URL'),
    new Option(
      '--may-act <spiffe-id>',
      'the one agent that may act with it for this one',
    ).argParser(valueOf(someText)),
    new Option(
      '--subject-token <file>',
      'the token of an agent to act for, in a file (- for stdin): it is no argument, which others could read',
    ),
    new Option('--nonce <nonce>', 'the nonce that the API asked the proof to have'),
    ...tpmOptions(),
  ],
  run: async ({ session, args: [id], options }) => {
    const wanted = parseProof(options)
    const { subjectToken: file, details: detailFile } = options
    const details = detailFile === undefined ? undefined : await loadDetails(detailFile)
    const subjectToken = file === undefined ? undefined : await readSubjectToken(file)
    const { agent, client } = await connectAgent(session, id, options)
    session.progress.step('fetching a token')
    const { resource, nonce } = options
    const token = await client.token({
      resource,
      scope: options.scope?.join(' '),
      details,
      mayAct: options.mayAct,
      subjectToken,
    })
    const accessToken = token.access_token
    const proof =
      wanted === undefined ? undefined : await client.proof({ ...wanted, accessToken, nonce })
    return {
      json: { agent: agent.id, ...token, ...(proof === undefined ? {} : { proof }) },
      lines:
        proof === undefined
          ? [accessToken]
          : [`Authorization: DPoP ${accessToken}`, `DPoP: ${proof}`],
    }
  },
})

async function readSubjectToken(file: string): Promise<string> {
  try {
    return (await readFile(file === '-' ? '/dev/stdin' : file, 'utf8')).trim()
  } catch (cause) {
    throw new CommandError('file-unreadable', { expected: 'a token', found: file, cause })
  }
}

function parseProof({ proof, nonce }: TokenOptions): { method: string; url: string } | undefined {
  if (proof === undefined) {
    if (nonce !== undefined)
      throw new UsageError('usage-contradiction', { found: '--nonce without --proof' })
    return undefined
  }
  const [method = '', url = '', ...rest] = proof
  const isUrl = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
  if (!/^[A-Za-z]{1,20}$/.test(method) || !isUrl || rest.length > 0)
    throw new UsageError('usage-malformed', { expected: '--proof METHOD URL' })
  return { method: method.toUpperCase(), url }
}
