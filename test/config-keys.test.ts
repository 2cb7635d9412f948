import test from 'ava'
import { parseConfig } from '../src/config.ts'

const minimal = 'issuer: https://assay.example\ntrustDomain: example.org\n'
const place = 'pkcs11:token=ca;object=key?module-path=/usr/lib/module.so'
const good = `${place}&pin-source=/etc/assay/pin`

const parse = (line: string): ReturnType<typeof parseConfig> =>
  parseConfig(`${minimal}keys:\n  ${line}\n`, 'config.yaml')

for (const name of ['issuing', 'token', 'log'] as const) {
  test(`keys.${name} takes a key in a token whose PIN is in a file`, t => {
    t.is(parse(`${name}: '${good}'`).keys[name], good)
  })

  test(`keys.${name} takes no PIN`, t => {
    const pinned = `${name}: '${place}&pin-value=1234'`
    t.throws(() => parse(pinned), { code: 'config-malformed' })
  })
}

test('keys has no members but its own', t => {
  t.throws(() => parse(`spare: '${good}'`), { code: 'config-malformed' })
  t.throws(() => parse(`isuing: '${good}'`), { code: 'config-malformed' })
})
