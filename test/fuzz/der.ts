import { DerReader } from '../../src/core/der/reader.ts'
import { codeOf } from './coded.ts'

/** Walks all of any bytes as DER, into everything that is constructed. */
export function fuzz(bytes: Uint8Array): string | undefined {
  return codeOf(() => walk(new DerReader(bytes)))
}

function walk(reader: DerReader): void {
  while (!reader.isAtEnd) {
    const { tag, encoded } = reader.element()
    if ((tag & 0x20) !== 0) walk(reader.again(encoded).enter(tag))
  }
}
