import { connect, createServer, type AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { isPublicAddress } from '../../src/outbound/address-rule.ts'
import { fetchLocation, type FetchLimits } from '../../src/outbound/fetch-location.ts'
import { internet, type Network } from '../../src/outbound/network.ts'
import { OutboundError } from '../../src/ports/outbound-error.ts'
import { publish } from './published.ts'

const limits: FetchLimits = {
  hosts: ['ek.example', 'ca.example'],
  timeoutSeconds: 5,
  maxBytes: 65_536,
}

async function refusalOf(
  location: string,
  network: Network,
  changes: Partial<FetchLimits> = {},
): Promise<string> {
  try {
    await fetchLocation(location, { ...limits, ...changes }, network)
  } catch (error) {
    if (error instanceof OutboundError) return error.code
    throw error
  }
  return 'fetched'
}

/** A network in which nothing may happen. */
function noNetwork(t: ExecutionContext): Network {
  return {
    resolve: async () => t.fail('resolved') || [],
    isAllowed: () => true,
    connect: () => {
      throw new TypeError('connected')
    },
  }
}

test('what a host of the list publishes is fetched, by its name, without credentials or cookies', async t => {
  const bytes = Uint8Array.from({ length: 65_536 }, (_, at) => at & 0xff)
  const headers: unknown[] = []
  const host = await publish(t, {
    '/a%20b.cer?x=1': (request, response) => {
      headers.push(request.headers)
      response.end(bytes)
    },
  })
  t.deepEqual(await fetchLocation('http://ek.example/a b.cer?x=1', limits, host.network), bytes)
  t.deepEqual(host.asked, ['ek.example /a%20b.cer?x=1'])
  t.deepEqual(headers, [
    { host: 'ek.example', accept: '*/*', 'accept-encoding': 'identity', connection: 'close' },
  ])
})

for (const location of [
  'http://169.254.169.254/latest/meta-data/',
  'http://2852039166/',
  'http://0xa9fea9fe/',
  'http://[::ffff:169.254.169.254]/',
  'http://localhost/',
  'http://other.example/a.cer',
  'http://ek.example.evil.example/',
  'http://ek.example:8080/a.cer',
  'http://user@ek.example/a.cer',
  'file:///etc/passwd',
  'ftp://ek.example/a.cer',
  'ldap://ek.example/cn=x',
  'data:text/plain,x',
  'ek.example/a.cer',
  '',
]) {
  test(`E10 nothing is fetched from ${location || 'nowhere'}, nor is anybody asked for it`, async t => {
    t.is(await refusalOf(location, noNetwork(t)), 'outbound-location')
  })
}

for (const address of [
  '169.254.169.254',
  '127.0.0.1',
  '127.255.255.254',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '0.0.0.0',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '64:ff9b::a9fe:a9fe',
  'fe80::1',
  'fe80::1%eth0',
  'fc00::1',
  'fd12::1',
  'ff02::1',
  '2001::1',
  '2001:db8::1',
  '2002:a9fe:a9fe::',
  '3fff::1',
  'not an address',
  '',
]) {
  test(`E10 a name that leads to ${address || 'nothing'} is not connected to`, async t => {
    t.false(isPublicAddress(address))
    const network = { ...noNetwork(t), isAllowed: internet.isAllowed }
    for (const addresses of [[address], ['9.9.9.9', address]]) {
      const resolve = async (): Promise<string[]> => addresses
      t.is(await refusalOf('http://ek.example/', { ...network, resolve }), 'outbound-address')
    }
  })
}

test('addresses of the Internet are connected to', t => {
  for (const address of [
    '9.9.9.9',
    '172.15.255.255',
    '172.32.0.1',
    '192.0.1.1',
    '2620:fe::fe',
    '2a00::1',
  ])
    t.true(isPublicAddress(address), address)
})

test('E10 the network of a started service is the one with that rule', async t => {
  t.is(internet.isAllowed, isPublicAddress)
  t.deepEqual(await internet.resolve('localhost').then(list => list.filter(internet.isAllowed)), [])
})

test('E10 a name is resolved once, and the address that was checked is connected to', async t => {
  const answers = [['9.9.9.9'], ['169.254.169.254']]
  const connected: string[] = []
  const network: Network = {
    resolve: async () => answers.shift() ?? [],
    isAllowed: internet.isAllowed,
    connect: ({ address }) => {
      connected.push(address)
      return connect({ host: '127.0.0.1', port: 1 })
    },
  }
  t.is(await refusalOf('http://ek.example/', network), 'outbound-unreachable')
  t.deepEqual(connected, ['9.9.9.9'])
  t.is(answers.length, 1)
})

test('E10 a huge body is refused by its length, and cut where it does not say one', async t => {
  let sent = 0
  const host = await publish(t, {
    '/declared': (_, response) => {
      response.writeHead(200, { 'Content-Length': 10 * 1024 ** 3 }).flushHeaders()
    },
    '/endless': (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) sent += 16_384
      }
      response.on('drain', more)
      more()
    },
    '/one-more': new Uint8Array(65_537),
  })
  for (const path of ['declared', 'endless', 'one-more'])
    t.is(await refusalOf(`http://ek.example/${path}`, host.network), 'outbound-too-large', path)
  t.true(sent < 64 * 1024 * 1024, `${sent} bytes were sent`)
})

test('E10 a slow name, head, body or beginning ends with the time', async t => {
  const host = await publish(t, {
    '/silent': () => undefined,
    '/drip': (_, response) => {
      response.write('0')
      const timer = setInterval(() => response.write('0'), 50)
      response.on('close', () => clearInterval(timer))
    },
    '/circle': (_, response) => {
      setTimeout(() => response.writeHead(302, { Location: '/circle' }).end(), 400)
    },
  })
  const deaf = {
    ...host.network,
    resolve: async () => await new Promise<string[]>(() => undefined),
  }
  const began = performance.now()
  for (const [path, network] of [
    ['name', deaf],
    ['silent', host.network],
    ['drip', host.network],
    ['circle', host.network],
  ] as const) {
    const refusal = await refusalOf(`http://ek.example/${path}`, network, { timeoutSeconds: 1 })
    t.is(refusal, 'outbound-slow', path)
  }
  t.true(performance.now() - began < 20_000)
})

const elsewhere = [
  'http://169.254.169.254/latest/',
  'http://other.example/',
  'file:///etc/passwd',
  '//other.example/',
  'http://ek.example:22/',
  'http://[',
]

for (const target of elsewhere) {
  test(`E10 a redirection to ${target} is not followed`, async t => {
    const host = await publish(t, {
      '/a': (_, response) => response.writeHead(301, { Location: target }).end(),
    })
    t.is(await refusalOf('http://ek.example/a', host.network), 'outbound-redirect')
    t.deepEqual(host.resolved, ['ek.example'])
  })
}

test('E10 a redirection within the list is followed, three times at most, each time by the rules', async t => {
  const to = (location: string) => (_: unknown, response: { writeHead: Function }) =>
    response.writeHead(302, { Location: location }).end('<html>')
  const host = await publish(t, {
    '/1': to('/2'),
    '/2': to('http://ca.example/3'),
    '/3': to('4'),
    '/4': Buffer.from('end'),
    '/0': to('/1'),
    '/bare': (_, response) => response.writeHead(302).end(),
  })
  const fetched = await fetchLocation('http://ek.example/1', limits, host.network)
  t.is(Buffer.from(fetched).toString(), 'end')
  t.deepEqual(host.resolved, ['ek.example', 'ek.example', 'ca.example', 'ca.example'])
  t.is(await refusalOf('http://ek.example/0', host.network), 'outbound-redirect')
  t.is(await refusalOf('http://ek.example/bare', host.network), 'outbound-redirect')
  const inward = { ...host.network, isAllowed: () => host.resolved.at(-1) === 'ek.example' }
  t.is(await refusalOf('http://ek.example/1', inward), 'outbound-address')
})

test('E10 what is no answer with bytes of its own is none', async t => {
  const host = await publish(t, {
    '/coded': (_, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('x'),
    '/part': (_, response) => response.writeHead(206).end('x'),
    '/headers': (_, response) =>
      response.writeHead(200, { 'X-Filler': 'x'.repeat(9_000) }).end('x'),
    '/cut': (_, response) => {
      response.writeHead(200, { 'Content-Length': 100 }).write('x')
      setTimeout(() => response.destroy(), 50)
    },
  })
  for (const path of ['coded', 'part', 'headers', 'absent'])
    t.is(await refusalOf(`http://ek.example/${path}`, host.network), 'outbound-answer', path)
  t.is(await refusalOf('http://ek.example/cut', host.network), 'outbound-unreachable')
  const nobody = { ...host.network, resolve: async () => [] }
  t.is(await refusalOf('http://ek.example/', nobody), 'outbound-unreachable')
})

test('E10 a host that speaks another protocol is none', async t => {
  const server = createServer(socket => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const network: Network = {
    resolve: async () => ['127.0.0.1'],
    isAllowed: () => true,
    connect: ({ address }) => connect({ host: address, port }),
  }
  t.is(await refusalOf('http://ek.example/', network), 'outbound-answer')
})
