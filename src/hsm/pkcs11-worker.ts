import { parentPort, workerData } from 'node:worker_threads'
import { PKCS11, type Handle } from 'pkcs11js'
import { CKF, CKM } from './pkcs11-constants.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import type {
  OpenedKey,
  Pkcs11Call,
  Pkcs11Refusal,
  Pkcs11Request,
  Pkcs11Response,
} from './pkcs11-messages.ts'
import { findKey, generateKey } from './pkcs11-object.ts'
import { openSession, type Logins } from './pkcs11-session.ts'

// The thread of one module: calls of a token take as long as the token likes, and nothing else waits for them.

const port = parentPort
if (port === null) throw new TypeError('this file is the body of a thread')

const { modulePath } = workerData as { readonly modulePath: string }
const logins: Logins = new Map()
const keys = new Map<number, { readonly session: Handle; readonly privateKey: Handle }>()
let module: PKCS11 | undefined
let isOurs = false
let count = 0

function loadedModule(): PKCS11 {
  if (module !== undefined) return module
  const loading = new PKCS11()
  try {
    loading.load(modulePath)
    isOurs = initialize(loading)
  } catch (cause) {
    throw new Pkcs11Error('pkcs11-module', { expected: modulePath, found: messageOf(cause), cause })
  }
  module = loading
  return loading
}

/** False where another part of this process has initialised the library, whose it then is to finish it. */
function initialize(loading: PKCS11): boolean {
  try {
    loading.C_Initialize({ flags: CKF.OS_LOCKING_OK })
    return true
  } catch (error) {
    if (messageOf(error).includes('CKR_CRYPTOKI_ALREADY_INITIALIZED')) return false
    throw error
  }
}

function open(call: Extract<Pkcs11Call, { call: 'open' | 'create' }>): OpenedKey {
  const writable = call.call === 'create'
  const session = openSession(loadedModule(), logins, { ...call, writable })
  try {
    if (writable) generateKey(loadedModule(), session, call.uri)
    const { privateKey, curve, point } = findKey(loadedModule(), session, call.uri)
    count += 1
    keys.set(count, { session, privateKey })
    return { key: count, curve, point }
  } catch (error) {
    loadedModule().C_CloseSession(session)
    throw error
  }
}

function sign(number: number, digest: Uint8Array): Uint8Array {
  const key = keys.get(number)
  if (key === undefined) throw new Pkcs11Error('pkcs11-failed', { found: 'a key that was closed' })
  loadedModule().C_SignInit(key.session, { mechanism: CKM.ECDSA }, key.privateKey)
  return loadedModule().C_Sign(key.session, Buffer.from(digest), Buffer.alloc(2 * 48))
}

function release(number: number): void {
  const key = keys.get(number)
  keys.delete(number)
  if (key !== undefined) loadedModule().C_CloseSession(key.session)
}

function finish(): void {
  if (module === undefined) return
  if (isOurs) module.C_Finalize()
  module.close()
  module = undefined
}

function perform(call: Pkcs11Call): OpenedKey | Uint8Array | undefined {
  if (call.call === 'sign') return sign(call.key, call.digest)
  if (call.call === 'release') release(call.key)
  else if (call.call === 'finish') finish()
  else return open(call)
  return undefined
}

function refusalOf(error: unknown): Pkcs11Refusal {
  if (error instanceof Pkcs11Error) {
    const { code, expected, found } = error
    return { code, expected, found }
  }
  return { code: 'pkcs11-failed', found: messageOf(error) }
}

/** The return value and the function; the first line alone, for what follows is a stack of C++. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return 'a failure without a name'
  const { method } = error as { readonly method?: string }
  const [line = ''] = error.message.split('\n')
  return `${method === undefined || method === '' ? '' : `${method}: `}${line}`.slice(0, 200)
}

function answer({ id, call }: Pkcs11Request): Pkcs11Response {
  try {
    return { id, answer: perform(call) }
  } catch (error) {
    return { id, refused: refusalOf(error) }
  }
}

port.on('message', (request: Pkcs11Request) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  port.postMessage(answer(request))
  if (request.call.call === 'finish') port.close()
})
