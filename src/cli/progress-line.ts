import { printable } from '../attester/remote-error.ts'
import type { OutputStream } from './output.ts'

const quietMs = 1_000

/**
 * Says on stderr what is being done, once it takes longer than a second: one line that is written over, on a terminal
 * alone. With `isVerbose` each step is a line of its own, at once, wherever stderr goes.
 */
export class ProgressLine {
  readonly #stream: OutputStream
  readonly #isVerbose: boolean
  #timer: NodeJS.Timeout | undefined
  #isShown = false
  #step = ''

  constructor(stream: OutputStream, isVerbose: boolean) {
    this.#stream = stream
    this.#isVerbose = isVerbose
  }

  /** What is done from now on, in a few words. */
  readonly step = (text: string): void => {
    this.#step = printable(text)
    if (this.#isVerbose) this.#stream.write(`${this.#step}\n`)
    else if (this.#stream.isTTY === true) this.#showSoon()
  }

  /** Takes the line away: what follows is the answer. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#isShown) this.#stream.write('\r\u001B[K')
    this.#isShown = false
  }

  #showSoon(): void {
    if (this.#isShown) this.#show()
    else this.#timer ??= setTimeout(() => this.#show(), quietMs)
  }

  #show(): void {
    this.#isShown = true
    this.#stream.write(`\r\u001B[K${this.#step} …`)
  }
}
