import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pem } from '../../src/services/view.ts'
import type { Stage } from './turnover-stage.ts'

/** Connections that are being made at once, at most: a loaded machine makes fewer. */
const mostAtOnce = 4

/** Connects to the service again and again, each time anew, as whoever the host is at that moment. */
export class Visitor {
  readonly #stage: Stage
  readonly failures: string[] = []
  handshakes = 0
  #isStopped = false
  readonly #underWay = new Set<Promise<void>>()

  readonly #isRenewing: boolean

  constructor(stage: Stage, isRenewing: boolean) {
    this.#stage = stage
    this.#isRenewing = isRenewing
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      // An authority that changes at this moment refuses; the next round asks again.
      if (this.#isRenewing && this.#stage.isDue()) await this.#stage.renew().catch(() => undefined)
      if (this.#underWay.size >= mostAtOnce) await Promise.race(this.#underWay)
      const visit = this.#visit().finally(() => this.#underWay.delete(visit))
      this.#underWay.add(visit)
      await Promise.race([visit, pause(20)])
    }
    await this.settle()
  }

  stop(): void {
    this.#isStopped = true
  }

  /** Until whoever came with what the host was before has gone, and somebody with what it is now has come. */
  async settle(): Promise<void> {
    await Promise.all(this.#underWay)
    await this.#visit()
  }

  async #visit(): Promise<void> {
    this.handshakes += 1
    try {
      const status = await askForToken(this.#stage, await this.#roots())
      if (status !== 200) throw new Error(`status ${status}`)
    } catch (cause) {
      this.failures.push(String(cause))
    }
  }

  /** The same service as openssl sees it, with the roots that the host keeps. */
  async visitWithOpenssl(): Promise<void> {
    this.handshakes += 1
    const file = join(this.#stage.folder, 'roots.pem')
    writeFileSync(file, (await this.#roots()).join(''))
    const address = `127.0.0.1:${this.#stage.port}`
    const args = ['s_client', '-connect', address, '-CAfile', file, '-verify_return_error']
    await new Promise<void>(resolve => {
      const child = execFile('openssl', [...args, '-verify_ip', '127.0.0.1'], (error, output) => {
        if (error !== null || !output.includes('Verify return code: 0 (ok)'))
          this.failures.push(`openssl: ${error?.message ?? output}`)
        resolve()
      })
      child.stdin?.end()
    })
  }

  async #roots(): Promise<string[]> {
    const { root, roots = [root] } = await this.#stage.home.loadService()
    return roots.map(pem)
  }
}

/** A token by the host's certificate (RFC 8705 §2.1): the service looks the certificate up. */
async function askForToken(stage: Stage, ca: readonly string[]): Promise<number> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: stage.clientId,
    resource: stage.api.service.settings.issuer,
  }).toString()
  return await new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: stage.port,
        method: 'POST',
        path: '/oauth/token',
        agent: false,
        ca: [...ca],
        cert: stage.certificateChain,
        key: stage.key.privateKey.export({ format: 'pem', type: 'pkcs8' }),
        minVersion: 'TLSv1.3',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      },
      response => {
        response.resume()
        response.once('end', () => resolve(response.statusCode ?? 0))
        response.once('error', reject)
      },
    )
    sent.once('error', reject)
    sent.end(body)
  })
}
