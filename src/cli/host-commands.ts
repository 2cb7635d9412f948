import { explainVerdict } from '../core/appraisal/explain.ts'
import { defineCommand, type CommandGroup, type CommandRow } from './command.ts'
import { refreshHostBundle } from './bundle-refresh.ts'
import { enrollCommand } from './host-enroll-command.ts'
import { followCommand } from './host-follow-command.ts'
import { labelCommand } from './host-label-command.ts'
import { connectHost, tpmOptions, type TpmOptions } from './host-machine.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf, recordsOf, type ShownRecord } from './records.ts'
import { renderFacts, renderTable, renderTime } from './table.ts'
import { parseVerdict } from './verdict.ts'
import { createRenewalProver } from './renewal-prover.ts'
import { revokeCommand } from './revoke-command.ts'

const list: CommandRow = defineCommand({
  name: 'list',
  summary: 'Lists the hosts of the service with status and assurance.',
  examples: [
    'assay host list',
    'assay host list --json | jq \'.hosts[] | select(.status=="active")\'',
  ],
  run: async ({ session }) => {
    const { client } = await connectOperator(session)
    const answer = await client.call('GET', '/v1/hosts')
    const columns = [
      { title: 'id', cell: (row: ShownRecord) => cellOf(row, 'id') },
      { title: 'name', cell: (row: ShownRecord) => cellOf(row, 'name') },
      { title: 'status', cell: (row: ShownRecord) => cellOf(row, 'status') },
      { title: 'assurance', cell: (row: ShownRecord) => cellOf(row, 'assurance') },
      { title: 'attested', cell: (row: ShownRecord) => renderTime(row['attestedAt']) },
      { title: 'holds until', cell: (row: ShownRecord) => renderTime(row['attestationExpiresAt']) },
    ]
    const nothing = 'No host is enrolled yet. On a host: assay host enroll --help.'
    return { json: answer, lines: renderTable(recordsOf(answer, 'hosts'), columns, nothing) }
  },
})

const show: CommandRow = defineCommand({
  name: 'show',
  args: '<id>',
  summary: 'Shows one host with its verdict.',
  examples: ['assay host show 5Jw0…'],
  run: async ({ session, args: [id = ''] }) => {
    const { client } = await connectOperator(session)
    const host = recordOf(await client.call('GET', `/v1/hosts/${encodeURIComponent(id)}`))
    const revocation =
      host['revokedAt'] === null
        ? undefined
        : `${renderTime(host['revokedAt'])} ${cellOf(host, 'revocationReason')}`
    return {
      json: host,
      lines: [
        ...renderFacts([
          ['id', cellOf(host, 'id')],
          ['name', cellOf(host, 'name')],
          ['SPIFFE ID', cellOf(host, 'spiffeId')],
          ['status', cellOf(host, 'status')],
          ['revoked', revocation],
          ['enrolled', renderTime(host['enrolledAt'])],
          ['attested', renderTime(host['attestedAt'])],
          ['holds until', renderTime(host['attestationExpiresAt'])],
        ]),
        '',
        ...explainVerdict(parseVerdict(host['attestationResult'])),
      ],
    }
  },
})

const explain: CommandRow = defineCommand({
  name: 'explain',
  args: '<id>',
  summary: 'Explains the verdict that a host stands on: every rule, every check that failed.',
  examples: ['assay host explain 5Jw0…'],
  run: async ({ session, args: [id = ''] }) => {
    const { client } = await connectOperator(session)
    const path = `/v1/hosts/${encodeURIComponent(id)}/attestation-result`
    const answer = recordOf(await client.call('GET', path))
    return { json: answer, lines: explainVerdict(parseVerdict(answer['verdict'] ?? answer)) }
  },
})

const renew: CommandRow = defineCommand<TpmOptions>({
  name: 'renew',
  summary:
    'Renews the certificate of this machine for the key that it has, which its hardware proves again.',
  examples: ['assay host renew'],
  options: tpmOptions(),
  run: async ({ session, options }) => {
    const { client, key, home, host } = await connectHost(session, options)
    await refreshHostBundle(session, { home, client }, options)
    const subject = { kind: 'host', ...host } as const
    const prove = await createRenewalProver(session, { client, key, home }, host, options)
    const { renewCredential } = await import('../attester/renewal.ts')
    session.progress.step('proving the key, and asking for a certificate')
    const { serial, notAfter } = await renewCredential({ client, key, home, subject, prove })
    const certificateFile = home.path(host.certificateFile)
    return {
      json: { id: host.id, serial, notAfter, certificateFile },
      lines: [
        'The certificate is renewed.',
        ...renderFacts([
          ['serial', serial],
          ['valid until', renderTime(notAfter)],
          ['file', certificateFile],
        ]),
      ],
    }
  },
})

const revoke = revokeCommand({
  noun: 'host',
  args: '<id>',
  summary: 'Revokes a host with every agent, certificate and token under it.',
  example: "assay host revoke 5Jw0… --reason 'stolen'",
  target: (id = '') => ({ kind: 'host', id }),
})

/** `assay host` */
export const hostCommands: CommandGroup = {
  name: 'host',
  summary: 'Hosts: machines whose TPM proved what they are.',
  commands: [enrollCommand, followCommand, list, show, explain, renew, revoke, labelCommand],
}
