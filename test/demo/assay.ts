import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { DemoFailure, type Stage } from './stage.ts'

const program = join(import.meta.dirname, '..', '..', 'src', 'cli', 'assay.ts')
const flags = ['--disable-warning=ExperimentalWarning', program]

/** Where a command runs: which client it is, and which TPM it sees. */
export type Place = Readonly<Record<string, string>>

function environmentOf(place: Place): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG } = process.env
  return { PATH, HOME, LANG, NO_COLOR: '1', ...place }
}

/**
 * Runs `assay` as its user would, shows the command and its answer, and gives the one document that `--json` prints.
 *
 * @throws DemoFailure with what the command wrote, when it did not exit with 0
 */
export async function assay(
  stage: Stage,
  place: Place,
  words: readonly string[],
): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run(stage, place, words)
  if (code !== 0) throw new DemoFailure(`assay ${words[0]} ended with ${code}\n${stderr}`)
  return JSON.parse(stdout) as Record<string, unknown>
}

/**
 * Runs a command that must be refused with this code, and gives the facts of the refusal.
 *
 * @throws DemoFailure when it was done, or refused for another reason
 */
export async function refusedAssay(
  stage: Stage,
  place: Place,
  words: readonly string[],
  { title, code: expected }: { readonly title: string; readonly code: string },
): Promise<Record<string, unknown>> {
  let facts: Record<string, unknown> = {}
  await stage.refused(title, expected, async () => {
    const { code, stdout } = await run(stage, place, words)
    if (code === 0) return undefined
    facts = (JSON.parse(stdout) as { error: Record<string, unknown> }).error
    return { code: String(facts['code']), line: String(facts['message']) }
  })
  return facts
}

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function run(stage: Stage, place: Place, words: readonly string[]): Promise<Run> {
  stage.command([...words, '--json'])
  const child = spawn(process.execPath, [...flags, ...words, '--json'], {
    env: environmentOf(place),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)]
  const [code] = (await once(child, 'close')) as [number]
  return { code, stdout: await stdout, stderr: await stderr }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  stream.setEncoding('utf8')
  for await (const part of stream) text += String(part)
  return text
}

/** A service in a process of its own. */
export interface ServiceProcess {
  stop(): Promise<void>
}

/** Runs `assay serve` and waits until it answers. */
export async function serve(
  stage: Stage,
  place: Place,
  isReady: () => Promise<boolean>,
): Promise<ServiceProcess> {
  const words = ['serve', '--no-init']
  stage.command(words)
  const env = { ...environmentOf(place), ASSAY_LOG_LEVEL: 'error' }
  const stdio = ['ignore', 'ignore', 'inherit'] as const
  const child = spawn(process.execPath, [...flags, ...words], { env, stdio: [...stdio] })
  await waitFor(child, isReady)
  return {
    stop: async () => {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

async function waitFor(child: ChildProcess, isReady: () => Promise<boolean>): Promise<void> {
  const pauseMs = 100
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new DemoFailure('the service ended before it answered')
    if (await isReady().catch(() => false)) return
    await new Promise(resolve => setTimeout(resolve, pauseMs))
  }
  throw new DemoFailure('the service did not answer within 20 seconds')
}
