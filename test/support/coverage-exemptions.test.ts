import test from 'ava'
import { exemptionOf } from './coverage-exemptions.ts'

test('a gap is let pass for the file and text that it was explained for, and no other', t => {
  t.truthy(exemptionOf('src/core/x509/roca.ts', '39: never taken: ?? 3'))
  t.truthy(exemptionOf('src/core/log/tile.ts', '9: never taken: throw cause'))
  t.is(exemptionOf('src/core/x509/path.ts', '39: never taken: ?? 3'), undefined)
  t.is(exemptionOf('src/core/x509/roca.ts', '39-41: never run'), undefined)
})
