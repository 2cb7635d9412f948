import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { expect, type Step } from './step.ts'
import type { ClientsWorld } from './world.ts'

const run = promisify(execFile)

interface Files {
  readonly chain: string
  readonly key: string
  readonly root: string
}

/** What programs on OpenSSL are given: an agent's certificate and key, and the root, each in a file. */
async function withFiles<T>(
  { agents, root }: ClientsWorld,
  use: (files: Files) => Promise<T>,
): Promise<T> {
  const [agent] = agents
  expect(agent !== undefined, 'an agent')
  const folder = await createPrivateDirectory('assay-clients')
  const files = {
    chain: join(folder, 'chain.pem'),
    key: join(folder, 'key.pem'),
    root: join(folder, 'root.pem'),
  }
  try {
    await writeFile(files.chain, agent.chain)
    const key = agent.privateKey.export({ format: 'pem', type: 'pkcs8' })
    await writeFile(files.key, key, { mode: 0o600 })
    await writeFile(files.root, root)
    return await use(files)
  } finally {
    discardDirectory(folder)
  }
}

async function curl(files: Files, ...words: string[]): Promise<Record<string, unknown>> {
  const trust = ['--silent', '--cacert', files.root]
  const { stdout } = await run('curl', [...trust, ...words], { timeout: 20_000 })
  return JSON.parse(stdout) as Record<string, unknown>
}

/** A call of the service's own API that an agent may make: it gives a WIT-SVID. */
const call = '/v1/svids/wit'

function certificateOf({ chain, key }: Files): string[] {
  return ['--cert', chain, '--key', key]
}

/** A token for the service's own API, by the handshake alone. */
async function fetchToken({ issuer }: ClientsWorld, files: Files): Promise<string> {
  const form = ['--data', `grant_type=client_credentials&resource=${issuer}`]
  const answer = await curl(files, ...certificateOf(files), ...form, `${issuer}/oauth/token`)
  expect(typeof answer['access_token'] === 'string', 'a token')
  return answer['access_token']
}

/** One request over openssl's own client; what came back, and what it says of the handshake. */
async function sClient(
  { issuer }: ClientsWorld,
  files: Files,
  request: string,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { host, hostname } = new URL(issuer)
  const words = ['-connect', host, '-servername', hostname, '-verify_return_error', '-brief']
  const own = ['-cert', files.chain, '-key', files.key, '-CAfile', files.root, '-ign_eof']
  const shaken = run('openssl', ['s_client', ...words, ...own], { timeout: 20_000 })
  shaken.child.stdin?.end(request)
  return await shaken
}

export const mutualTlsSteps: readonly Step[] = [
  {
    client: 'curl',
    does: 'fetches a token over mutual TLS that its certificate can use and nobody without it',
    run: async world =>
      await withFiles(world, async files => {
        const token = await fetchToken(world, files)
        const bearer = ['--request', 'POST', '--header', `Authorization: Bearer ${token}`]
        const url = `${world.issuer}${call}`
        const good = await curl(files, ...certificateOf(files), ...bearer, url)
        expect(typeof good['svid'] === 'string', 'an answer to the holder of the certificate')
        const refused = await curl(files, ...bearer, url)
        expect(refused['code'] === 'token-unbound', 'token-unbound without the certificate')
      }),
  },
  {
    client: 'curl',
    does: 'asks without anything that authenticates it and is refused in OAuth’s words',
    run: async world =>
      await withFiles(world, async files => {
        const form = ['--data', 'grant_type=client_credentials']
        const answer = await curl(files, ...form, `${world.issuer}/oauth/token`)
        expect(answer['error'] === 'invalid_dpop_proof', 'invalid_dpop_proof')
        expect(answer['code'] === 'dpop-missing', 'dpop-missing')
      }),
  },
  {
    client: 'openssl s_client',
    does: 'calls over TLS 1.3 with the certificate that the token is bound to',
    run: async world =>
      await withFiles(world, async files => {
        const token = await fetchToken(world, files)
        const { host } = new URL(world.issuer)
        const lines = [
          `POST ${call} HTTP/1.1`,
          `Host: ${host}`,
          `Authorization: Bearer ${token}`,
          'Content-Length: 0',
          'Connection: close',
        ]
        const { stdout, stderr } = await sClient(world, files, `${lines.join('\r\n')}\r\n\r\n`)
        expect(/TLSv1\.3/.test(stderr), 'TLS 1.3')
        expect(/Verification: OK/.test(stderr), 'a chain that verifies')
        expect(stdout.includes('HTTP/1.1 200'), 'an answer to the holder of the certificate')
      }),
  },
]
