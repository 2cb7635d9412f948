import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encodeAuditEntry, type LoggedAct } from '../../src/core/log/audit-entry.ts'
import { encodeCheckpointText } from '../../src/core/log/checkpoint.ts'
import { encodeEntryBundle } from '../../src/core/log/entry-bundle.ts'
import { leafHash } from '../../src/core/log/merkle-hash.ts'
import { encodeVerifierKey, verifierOfSpki } from '../../src/core/log/note-key.ts'
import { encodeNote } from '../../src/core/log/signed-note.ts'
import { encodeTilePath } from '../../src/core/log/tile-path.ts'
import { TreeEdge } from '../../src/core/log/tree-edge.ts'

/** A small log on a web server of its own: whatever was published last. */
export interface PublishedLog {
  readonly url: string
  readonly logKey: string
  /** Publishes fewer than 256 acts as the whole log; with `forged` under the signature of another key. */
  publish(acts: readonly LoggedAct[], options?: { readonly forged?: boolean }): void
  /** Exchanges a file behind the checkpoint's back, or takes it away. */
  replace(path: string, bytes: Uint8Array | undefined): void
  readonly paths: () => readonly string[]
  stop(): Promise<void>
}

const origin = 'log.example/audit'

export async function startPublishedLog(): Promise<PublishedLog> {
  const [own, other] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
  const verifier = verifierOfSpki(origin, own.publicKey.export({ format: 'der', type: 'spki' }))
  const files = new Map<string, Uint8Array>()
  const server = createServer((request, response) => {
    const bytes = files.get((request.url ?? '').replace('/copy/', ''))
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/copy`,
    logKey: encodeVerifierKey(verifier),
    publish: (acts, { forged = false } = {}) => {
      const key = (forged ? other : own).privateKey
      files.clear()
      const { tree, root } = treeOf(acts.map(act => Buffer.from(encodeAuditEntry(act))))
      for (const [path, bytes] of tree) files.set(path, bytes)
      const text = encodeCheckpointText({ origin, size: acts.length, rootHash: root })
      const signature = sign(null, Buffer.from(text), key)
      const { name, keyId } = verifier
      files.set(
        'checkpoint',
        Buffer.from(encodeNote({ text, signatures: [{ name, keyId, signature }] })),
      )
    },
    replace: (path, bytes) => {
      if (bytes === undefined) files.delete(path)
      else files.set(path, bytes)
    },
    paths: () => [...files.keys()],
    stop: async () => {
      await new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

function treeOf(entries: readonly Uint8Array[]): {
  tree: Map<string, Uint8Array>
  root: Uint8Array
} {
  const edge = new TreeEdge(() => undefined)
  for (const entry of entries) edge.append(leafHash(entry))
  const address = { index: 0, width: entries.length }
  return {
    tree: new Map([
      [encodeTilePath({ level: 0, ...address }), edge.partialTile(0, entries.length)],
      [encodeTilePath({ level: 'entries', ...address }), encodeEntryBundle(entries)],
    ]),
    root: edge.root(),
  }
}
