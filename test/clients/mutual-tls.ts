import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { expect, type Step } from './step.ts'
import { resource, type ClientsWorld } from './world.ts'

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

export const mutualTlsSteps: readonly Step[] = [
  {
    client: 'curl',
    does: 'fetches a token over mutual TLS that only its certificate can use',
    run: async world =>
      await withFiles(world, async files => {
        const certificate = ['--cert', files.chain, '--key', files.key]
        const form = ['--data', `grant_type=client_credentials&resource=${resource}`]
        const answer = await curl(files, ...certificate, ...form, `${world.issuer}/oauth/token`)
        const [, payload = ''] = String(answer['access_token']).split('.')
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
          cnf?: Record<string, string>
        }
        expect(claims.cnf?.['x5t#S256'] !== undefined, 'a token bound to the certificate')
      }),
  },
  {
    client: 'curl',
    does: 'asks without a certificate and is refused in OAuth’s words',
    run: async world =>
      await withFiles(world, async files => {
        const form = ['--data', 'grant_type=client_credentials']
        const answer = await curl(files, ...form, `${world.issuer}/oauth/token`)
        expect(typeof answer['error'] === 'string', 'an OAuth error')
        expect(typeof answer['hint'] === 'string', 'a hint')
      }),
  },
  {
    client: 'openssl s_client',
    does: 'shakes hands with the agent’s certificate over TLS 1.3',
    run: async world =>
      await withFiles(world, async files => {
        const { host, hostname } = new URL(world.issuer)
        const words = ['-connect', host, '-servername', hostname, '-verify_return_error']
        const own = ['-cert', files.chain, '-key', files.key, '-CAfile', files.root, '-brief']
        const shaken = run('openssl', ['s_client', ...words, ...own], { timeout: 20_000 })
        shaken.child.stdin?.end()
        const { stderr } = await shaken
        expect(/Protocol version: TLSv1\.3/.test(stderr), 'TLS 1.3')
        expect(/Verification: OK/.test(stderr), 'a chain that verifies')
      }),
  },
]
