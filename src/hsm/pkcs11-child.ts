import { Pkcs11Error } from './pkcs11-error.ts'
import { Pkcs11Library } from './pkcs11-library.ts'
import type {
  Pkcs11Answers,
  Pkcs11Call,
  Pkcs11Refusal,
  Pkcs11Request,
  Pkcs11Response,
} from './pkcs11-messages.ts'

// The body of the process that holds one PKCS#11 library for one token. Whoever started it kills it when it hangs.

const modulePath = process.argv[2] ?? ''
let library: Pkcs11Library | undefined

async function perform(call: Pkcs11Call): Promise<Pkcs11Answers[keyof Pkcs11Answers]> {
  if (call.call === 'finish') {
    library?.finish()
    return undefined
  }
  library ??= Pkcs11Library.load(modulePath)
  if (call.call === 'locate') return library.locate(call.uri)
  if (call.call === 'open') return library.open(call.uri)
  if (call.call === 'describe') return library.describe(call.key)
  if (call.call === 'sign') return await library.sign(call.key, call.data)
  act(library, call)
  return undefined
}

type Act = Exclude<Pkcs11Call, { call: 'finish' | 'locate' | 'open' | 'describe' | 'sign' }>

function act(loaded: Pkcs11Library, call: Act): void {
  if (call.call === 'login') loaded.logIn(call.pin)
  else if (call.call === 'create') loaded.create(call.uri, call.kind)
  else if (call.call === 'destroy') loaded.destroy(call.uri)
  else if (call.call === 'probe') loaded.probe(call.key)
  else loaded.reset()
}

function refusalOf(error: unknown): Pkcs11Refusal {
  if (error instanceof Pkcs11Error) {
    const { code, expected, found } = error
    return { code, expected, found }
  }
  const [line = ''] = error instanceof Error ? error.message.split('\n') : []
  // The return value and the function; the first line alone, for what follows is a stack of C++.
  const { method } = error as { readonly method?: string }
  const found = `${method === undefined || method === '' ? '' : `${method}: `}${line}`.slice(0, 200)
  const [returnValue] = /^CKR_\w+/.exec(line) ?? []
  const isFull = returnValue === 'CKR_DEVICE_MEMORY' || returnValue === 'CKR_TOKEN_WRITE_PROTECTED'
  return { code: isFull ? 'pkcs11-token-full' : 'pkcs11-failed', found, returnValue }
}

async function answer({ id, call }: Pkcs11Request): Promise<Pkcs11Response> {
  try {
    return { id, answer: await perform(call) }
  } catch (error) {
    return { id, refused: refusalOf(error) }
  }
}

async function serve(request: Pkcs11Request): Promise<void> {
  process.send?.(await answer(request))
  if (request.call.call === 'finish') process.disconnect()
}

process.on('message', (request: Pkcs11Request) => void serve(request))

// Without its parent it is nobody's; a thread that hangs in the library would keep an orderly exit waiting.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))

// A terminal tells its whole group to end; the parent ends this process once it needs it no more.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
