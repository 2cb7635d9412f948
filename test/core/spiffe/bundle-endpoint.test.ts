import test from 'ava'
import { allowedEndpoint, isUrlHost } from '../../../src/core/spiffe/bundle-endpoint.ts'

const hosts = ['b.example', 'c.example:8443']

for (const url of [
  'https://b.example/bundle.json?x=1',
  'https://c.example:8443/',
  'https://b.example:443/a',
])
  test(`a bundle may be fetched from ${url}`, t => {
    t.is(allowedEndpoint(url, hosts)?.href, new URL(url).href)
  })

for (const url of [
  '',
  'b.example',
  'http://b.example/a',
  'https://b.example:8443/a',
  'https://c.example/a',
  'https://user@b.example/a',
  'https://:secret@b.example/a',
  'https://b.example/a#b',
  'https://b.example.evil.example/',
  'https://127.0.0.1/',
])
  test(`no bundle is fetched from ${url || 'nowhere'}`, t => {
    t.is(allowedEndpoint(url, hosts), undefined)
  })

test('a host is written as URLs have it', t => {
  for (const host of hosts) t.true(isUrlHost(host), host)
  for (const text of ['B.example', 'b.example:443', 'b.example/x', ''])
    t.false(isUrlHost(text), text)
})
