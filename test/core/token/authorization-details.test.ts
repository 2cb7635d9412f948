import test from 'ava'
import {
  areNarrower,
  grantDetails,
  type DetailType,
} from '../../../src/core/token/authorization-details.ts'

const registered: readonly DetailType[] = [
  {
    type: 'ticket',
    actions: ['read', 'write'],
    locations: ['https://api.example/'],
    identifiers: ['42'],
  },
  { type: 'report' },
]
const ticket = { type: 'ticket', actions: ['read'], identifier: '42' }

test('grants what is registered, exactly as it was asked for', t => {
  const asked = [
    ticket,
    { type: 'report' },
    { ...ticket, locations: ['https://api.example/'] },
    { ...ticket, actions: ['write', 'read'] },
  ]
  t.deepEqual(grantDetails(JSON.stringify(asked), registered), asked as never)
})

for (const [name, asked] of [
  ['no JSON', 'x'],
  ['no array', '{"type":"ticket"}'],
  ['more JSON behind it', '[{"type":"ticket"}],"b":1'],
  ['nothing in it', '[]'],
  ['too many', JSON.stringify(Array.from({ length: 17 }, () => ticket))],
  ['an element that is no object', '["ticket"]'],
  ['an element that is null', '[null]'],
  ['an element that is an array', '[[]]'],
  ['no type', '[{"actions":["read"]}]'],
  ['a type that is not registered', '[{"type":"payment"}]'],
  ['one good and one bad', JSON.stringify([ticket, { type: 'payment' }])],
  ['a value that is not registered', JSON.stringify([{ ...ticket, actions: ['read', 'delete'] }])],
  ['a field that is not registered', JSON.stringify([{ ...ticket, privileges: ['admin'] }])],
  ['a field that is no list', JSON.stringify([{ ...ticket, actions: 'read' }])],
  ['an empty field', JSON.stringify([{ ...ticket, actions: [] }])],
  ['a member that no type has', JSON.stringify([{ ...ticket, amount: 5 }])],
  ['another identifier', JSON.stringify([{ ...ticket, identifier: '43' }])],
  ['an identifier where none is registered', '[{"type":"report","identifier":"42"}]'],
  ['a value twice', JSON.stringify([{ ...ticket, actions: ['read', 'read'] }])],
  [
    'a value twice among others',
    JSON.stringify([{ ...ticket, actions: ['read', 'write', 'read'] }]),
  ],
  ['a member twice', '[{"type":"ticket","actions":["read"],"actions":["read"]}]'],
  ['an __entity', '[{"type":"ticket","__entity":{"type":"User","id":"a"}}]'],
] as const)
  test(`refuses authorization details with ${name}`, t => {
    t.is(grantDetails(asked, registered), undefined)
  })

test('details may be passed on as they are or less, never more', t => {
  const held = [{ type: 'ticket', actions: ['read', 'write'], identifier: '42' }]
  t.true(areNarrower([ticket], held))
  t.true(areNarrower([], held))
  t.false(areNarrower([{ ...ticket, actions: ['delete'] }], held))
  t.false(areNarrower([{ ...ticket, identifier: '43' }], held))
  t.false(areNarrower([{ type: 'ticket', identifier: '42' }], [{ type: 'report' }]))
})

test('a detail that leaves a held field or identifier out asks for more', t => {
  const held = [{ type: 'ticket', actions: ['read'], identifier: '42' }]
  t.false(areNarrower([{ type: 'ticket', identifier: '42' }], held))
  t.false(areNarrower([{ type: 'ticket', actions: ['read'] }], held))
})
