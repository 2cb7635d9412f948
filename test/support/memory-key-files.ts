import type { KeyFiles } from '../../src/hsm/authority-keys.ts'

/** Private files of a test: as those of a data directory, gone with it. */
export class MemoryKeyFiles implements KeyFiles {
  readonly #files = new Map<string, string>()
  /** What was put aside. */
  readonly aside: string[] = []

  list(): readonly string[] {
    return [...this.#files.keys()]
  }

  read(name: string): string {
    const text = this.#files.get(name)
    if (text === undefined) throw new TypeError(`no file ${name}`)
    return text
  }

  write(name: string, pkcs8: string): void {
    if (this.#files.has(name)) throw new TypeError(`there is a file ${name}`)
    this.#files.set(name, pkcs8)
  }

  setAside(name: string): void {
    this.#files.delete(name)
    this.aside.push(name)
  }

  destroy(name: string): void {
    this.#files.delete(name)
  }
}
