import { deflateRawSync } from 'node:zlib'

/** A file in a cabinet, with `\\` between folders as Windows writes it. */
export interface CabinetMember {
  readonly path: string
  readonly bytes: Uint8Array
}

const headerLength = 36
const folderLength = 8

/**
 * A cabinet of one folder in MSZIP blocks.
 *
 *     CFHEADER, CFFOLDER, CFFILE[], CFDATA[]
 *
 * @see MS-CAB, Microsoft Cabinet Format §2
 */
export function buildCabinet(members: readonly CabinetMember[]): Uint8Array {
  const content = Buffer.concat(members.map(({ bytes }) => bytes))
  const files = encodeFiles(members)
  const blocks = Array.from({ length: Math.ceil(content.length / 32_768) }, (_, at) =>
    encodeBlock(content.subarray(at * 32_768, (at + 1) * 32_768)),
  )
  const filesAt = headerLength + folderLength
  const dataAt = filesAt + files.length
  const body = Buffer.concat([encodeFolder(dataAt, blocks.length), files, ...blocks])
  const header = Buffer.alloc(headerLength)
  header.write('MSCF', 0, 'latin1')
  header.writeUInt32LE(headerLength + body.length, 8)
  header.writeUInt32LE(filesAt, 16)
  header.writeUInt8(3, 24)
  header.writeUInt8(1, 25)
  header.writeUInt16LE(1, 26)
  header.writeUInt16LE(members.length, 28)
  return Buffer.concat([header, body])
}

function encodeFolder(dataAt: number, blocks: number): Uint8Array {
  const folder = Buffer.alloc(folderLength)
  folder.writeUInt32LE(dataAt, 0)
  folder.writeUInt16LE(blocks, 4)
  folder.writeUInt16LE(1, 6)
  return folder
}

function encodeFiles(members: readonly CabinetMember[]): Uint8Array {
  let offset = 0
  const files = members.map(({ path, bytes }) => {
    const file = Buffer.alloc(16)
    file.writeUInt32LE(bytes.length, 0)
    file.writeUInt32LE(offset, 4)
    file.writeUInt16LE(0x20, 14)
    offset += bytes.length
    return Buffer.concat([file, Buffer.from(`${path}\0`, 'latin1')])
  })
  return Buffer.concat(files)
}

/** A checksum of 0 says that there is none. */
function encodeBlock(content: Uint8Array): Uint8Array {
  const packed = Buffer.concat([Buffer.from('CK', 'latin1'), deflateRawSync(content)])
  const head = Buffer.alloc(8)
  head.writeUInt16LE(packed.length, 4)
  head.writeUInt16LE(content.length, 6)
  return Buffer.concat([head, packed])
}
