import { Option } from 'commander'
import { Answer } from '../attester/answer.ts'
import { connectAgent } from './agent-machine.ts'
import { defineCommand, type CommandRow } from './command.ts'
import { tpmOptions, type TpmOptions } from './host-machine.ts'
import { someText, UsageError, valueOf } from './usage-error.ts'

interface SvidOptions extends TpmOptions {
  readonly audience?: string
  readonly wit?: boolean
}

/** `assay agent svid` */
export const svidCommand: CommandRow = defineCommand<SvidOptions>({
  name: 'svid',
  args: '[id]',
  summary: 'Fetches a JWT-SVID for one audience, or a WIT-SVID, which is bound to the agent’s key.',
  details: [
    'A JWT-SVID is a bearer credential by its specification: whoever reads it can use it at its audience until it ends. Prefer a WIT-SVID or an access token where the other side knows them.',
  ],
  examples: ['assay agent svid --audience https://api.example', 'assay agent svid --wit'],
  options: [
    new Option('--audience <url>', 'who the JWT-SVID is for: an audience of the class').argParser(
      valueOf(someText),
    ),
    new Option('--wit', 'a WIT-SVID instead'),
    ...tpmOptions(),
  ],
  run: async ({ session, args: [id], options }) => {
    const isWit = options.wit === true
    if (isWit === (options.audience !== undefined))
      throw new UsageError('usage-contradiction', { expected: 'either --audience or --wit' })
    const { agent, client } = await connectAgent(session, id, options)
    const answer = isWit
      ? await client.call('POST', '/v1/svids/wit')
      : await client.call('POST', '/v1/svids/jwt', { audience: options.audience })
    const svid = new Answer(answer, 'SVID').text('svid')
    return { json: { agent: agent.id, ...(answer as object) }, lines: [svid] }
  },
})

interface AttestationOptions extends TpmOptions {
  readonly clientId?: string
}

/** `assay agent attestation` */
export const attestationCommand: CommandRow = defineCommand<AttestationOptions>({
  name: 'attestation',
  args: '[id]',
  summary:
    'Fetches a client attestation: with it an agent authenticates to other authorization servers.',
  details: [
    'It goes into the header OAuth-Client-Attestation, beside a DPoP proof or a proof of possession by the agent’s key (draft-ietf-oauth-attestation-based-client-auth-10). That server must trust this service as an attester.',
  ],
  examples: ['assay agent attestation --client-id orders-bot'],
  options: [
    new Option(
      '--client-id <id>',
      'the client id at that server, one of the class (default: the agent’s SPIFFE ID)',
    ).argParser(valueOf(someText)),
    ...tpmOptions(),
  ],
  run: async ({ session, args: [id], options }) => {
    const { clientId } = options
    const { agent, client } = await connectAgent(session, id, options)
    const body = clientId === undefined ? {} : { clientId }
    const answer = await client.call('POST', '/v1/client-attestations', body)
    const attestation = new Answer(answer, 'attestation').text('clientAttestation')
    return { json: { agent: agent.id, ...(answer as object) }, lines: [attestation] }
  },
})
