import { styleText } from 'node:util'

/** Raised when a step of the story came out otherwise than it must. */
export class DemoFailure extends Error {}

/** How something was refused: the stable code, and its sentence. */
export interface Refusal {
  readonly code: string
  readonly line: string
}

/** Prints the story and holds each step against how it must come out. */
export class Stage {
  readonly #begun: number
  readonly #now: () => number
  #chapter = 0
  #steps = 0

  /** @param now milliseconds, monotonic */
  constructor(now: () => number) {
    this.#now = now
    this.#begun = now()
  }

  chapter(title: string): void {
    this.#chapter += 1
    print(`\n${styleText(['bold', 'cyan'], `${this.#chapter}. ${title}`)}`)
  }

  /** A line of explanation. */
  say(text: string): void {
    print(styleText('dim', `   ${text}`))
  }

  /** A command as its user would type it. */
  command(words: readonly string[]): void {
    print(`   ${styleText('bold', '$')} assay ${words.map(quote).join(' ')}`)
  }

  /** What a command or server answered. */
  answer(text: string): void {
    for (const line of text.trimEnd().split('\n')) print(`     ${line}`)
  }

  /** Something that was done; what could have failed in it has thrown before. */
  done(title: string): void {
    this.#steps += 1
    print(`   ${styleText('green', '✔')} ${title}`)
  }

  /** A step that must be refused, and for that reason; anything else ends the story. */
  async refused(
    title: string,
    code: string,
    run: () => Promise<Refusal | undefined>,
  ): Promise<void> {
    const refusal = await run()
    if (refusal === undefined) throw this.#fail(title, `expected ${code}, but it was accepted`)
    if (refusal.code !== code) throw this.#fail(title, `expected ${code}, found ${refusal.code}`)
    this.#steps += 1
    print(`   ${styleText('green', '✔')} ${title}: ${styleText('yellow', 'refused')}`)
    print(styleText('dim', `     ${refusal.code}: ${refusal.line}`))
  }

  /** A fact that must hold. */
  require(condition: boolean, title: string): void {
    if (!condition) throw this.#fail(title, 'it does not hold')
  }

  close(): void {
    const seconds = ((this.#now() - this.#begun) / 1000).toFixed(1)
    print(
      `\n${styleText(['bold', 'green'], `All ${this.#steps} steps came out as they must`)} (${seconds} s).`,
    )
  }

  #fail(title: string, why: string): DemoFailure {
    print(`   ${styleText('red', '✘')} ${title}: ${why}`)
    return new DemoFailure(`${title}: ${why}`)
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function quote(word: string): string {
  return /^[\w./:@=,+-]+$/.test(word) ? word : `'${word}'`
}
