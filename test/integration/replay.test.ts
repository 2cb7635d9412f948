import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import test from 'ava'
import { createDpopProof } from '../../src/attester/dpop.ts'
import { openFileKey } from '../../src/attester/file-key.ts'
import { Home } from '../../src/attester/home.ts'
import { exchange, type ExchangeRequest } from '../../src/attester/http-exchange.ts'
import { createPinnedAgent } from '../../src/attester/pinned-tls.ts'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { encodeHeader, encodeSigningInput } from '../../src/core/jose/jws.ts'
import { jwtBearer } from '../../src/core/token/client-assertion.ts'
import { createRandom } from '../../src/random.ts'
import { createStage } from './cli-fixtures.ts'

const stage = await createStage({})
const { issuer } = stage
const made = await stage.assay(['init', '--issuer', issuer, '--key', 'file', '--json'])
const { operator } = made.json() as unknown as { operator: { clientId: string } }
test.after.always(async () => await stage.close())

/** What counts once, and what may be said when it is shown again; a proof of two minutes may be over on a slow machine. */
interface Once {
  readonly request: ExchangeRequest
  readonly refusals: readonly string[]
  /** How often it is shown after the restart; an assertion costs the service more. */
  readonly times: number
}

test('what was used once is refused, and ten thousand times by the process after kill -9', async t => {
  t.timeout(600_000)
  const home = await Home.open(join(stage.directory, 'operator'))
  const key = await openFileKey(join(home.directory, 'operator.key.pem'))
  const { root } = await home.loadService()
  const agent = createPinnedAgent([root])
  t.teardown(() => agent.destroy())
  const ask = async (
    request: ExchangeRequest,
  ): Promise<{ status: number; json: Record<string, unknown> }> => {
    const { status, body } = await exchange(agent, new URL(issuer), request)
    return { status, json: JSON.parse(Buffer.from(body).toString()) as Record<string, unknown> }
  }
  const assertion = async (): Promise<ExchangeRequest> => {
    const claims = {
      iss: operator.clientId,
      sub: operator.clientId,
      aud: issuer,
      jti: randomUUID(),
      exp: Math.floor(Date.now() / 1000) + 300,
    }
    const input = encodeSigningInput(encodeHeader({ alg: key.algorithm }), claims)
    const signature = encodeBase64url(await key.sign(Buffer.from(input, 'latin1')))
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: jwtBearer,
      client_assertion: `${input}.${signature}`,
    }).toString()
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    return { method: 'POST', path: '/oauth/token', headers, body }
  }
  const call = async (accessToken: string): Promise<ExchangeRequest> => {
    const path = '/v1/operators'
    const wanted = { method: 'GET', url: `${issuer}${path}`, accessToken }
    const sources = { clock: { now: () => Date.now() }, random: createRandom() }
    const DPoP = await createDpopProof(key, wanted, sources)
    return { method: 'GET', path, headers: { Authorization: `DPoP ${accessToken}`, DPoP } }
  }
  /** Both kinds, shown once and let in. */
  const use = async (): Promise<readonly [asserted: Once, called: Once]> => {
    const asserted = await assertion()
    const { status, json } = await ask(asserted)
    t.is(status, 200, JSON.stringify(json))
    const called = await call(String(json['access_token']))
    t.is((await ask(called)).status, 200)
    return [
      { request: asserted, refusals: ['401 assertion-replayed'], times: 1_000 },
      { request: called, refusals: ['401 dpop-replayed', '401 dpop-time'], times: 4_000 },
    ]
  }
  /** Shows it again that often, eight at once. */
  const replay = async ({ request, refusals }: Once, times: number): Promise<void> => {
    const answers = new Set<string>()
    const show = async (): Promise<void> => {
      for (let done = 0; done < times / 8; done += 1) {
        const { status, json } = await ask(request)
        answers.add(`${status} ${String(json['code'])}`)
      }
    }
    await Promise.all(Array.from({ length: 8 }, show))
    t.deepEqual(
      [...answers].filter(answer => !refusals.includes(answer)),
      [],
    )
    t.true(answers.size > 0)
  }
  const serving = await stage.serve()
  const used = await use()
  for (const once of used) await replay(once, 200)
  // What was answered just before the end counts as what was answered long before it.
  const last = await use()
  await serving.stop('SIGKILL')
  await stage.serve()
  const [, called] = last
  const { status, json } = await ask(called.request)
  t.is(`${status} ${String(json['code'])}`, '401 dpop-replayed')
  for (const once of [...last, ...used].toReversed()) await replay(once, once.times)
  t.is((await use()).length, 2)
})
