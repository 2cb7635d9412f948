import { openSync, closeSync } from 'node:fs'
import { once } from 'node:events'
import { createConnection, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import test from 'ava'
import { descriptorOf, peerCredentials } from '../../native/index.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'

const directory = await createPrivateDirectory('peer')
test.after.always(() => discardDirectory(directory))

test('says which process is at the other end of a Unix socket', async t => {
  const path = join(directory, 'socket')
  const server = createServer().listen(path)
  await once(server, 'listening')
  const connected = once(server, 'connection') as Promise<[Socket]>
  const program = `require('node:net').createConnection(${JSON.stringify(path)}).resume()`
  const child = spawn(process.execPath, ['--eval', program])
  const [socket] = await connected
  const peer = peerCredentials(descriptorOf(socket))
  t.deepEqual(peer, {
    pid: child.pid as number,
    uid: process.getuid?.() ?? -1,
    gid: process.getgid?.() ?? -1,
  })
  socket.end()
  await once(child, 'exit')
  server.close()
})

test('refuses a descriptor that is no Unix socket', async t => {
  const file = openSync('/dev/null', 'r')
  t.throws(() => peerCredentials(file), { message: /non-socket/ })
  closeSync(file)
  t.throws(() => peerCredentials(-1), { message: /[Bb]ad file/ })
  const server = createServer(socket => socket.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = createConnection((server.address() as { port: number }).port, '127.0.0.1')
  await once(socket, 'connect')
  t.throws(() => peerCredentials(descriptorOf(socket)), {
    message: /[Aa]ddress family not supported/,
  })
  socket.destroy()
  server.close()
})

test('refuses a socket that is not open, and what is no number', async t => {
  const socket = createConnection(join(directory, 'nothing'))
  await once(socket, 'error').catch(() => undefined)
  socket.destroy()
  t.throws(() => descriptorOf(socket), { instanceOf: TypeError })
  t.throws(() => peerCredentials('1' as never), { instanceOf: TypeError })
})
