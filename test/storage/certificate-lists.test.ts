import test from 'ava'
import type { CertificateListRecord, ListPlace } from '../../src/ports/certificate-status.ts'
import { refreshCertificateLists } from '../../src/services/certificate-lists.ts'
import { createTestService } from '../support/test-service.ts'
import { entry, now, openStore } from './fixtures.ts'

const place: ListPlace = { authorityId: 'ab', shard: 3 }

const listOf = (number: number): CertificateListRecord => ({
  ...place,
  number,
  thisUpdate: now + number,
  nextUpdate: now + 1000,
  revoked: 0,
  counted: 0,
  sha256: `${number}`,
  bytes: Uint8Array.of(number),
})

test('of a hundred contenders of two builders no two get one number, and no list goes back', async t => {
  const { certificateStatus } = await openStore(t)
  const numbers = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const { number } = await certificateStatus.draft(place, now)
      await certificateStatus.publish(listOf(number), entry('crl.published'))
      const kept = await certificateStatus.find(place)
      t.true((kept?.number ?? 0) >= number)
      return number
    }),
  )
  t.is(new Set(numbers).size, 100)
  t.is(Math.max(...numbers), 100)
  t.is((await certificateStatus.find(place))?.number, 100)
})

test('two builders make every list at once, and each list is there with one of their numbers', async t => {
  const { service } = await createTestService(t)
  const two = [refreshCertificateLists(service), refreshCertificateLists(service)]
  const made = (await Promise.all(two)).flat()
  const lists = await service.store.certificateStatus.list()
  t.is(lists.length, 16)
  for (const { shard, number } of lists) {
    const numbers = made.filter(list => list.shard === shard).map(list => list.number)
    t.is(new Set(numbers).size, numbers.length)
    t.is(number, Math.max(...numbers))
  }
})

test('an older list does not take the place of a newer one', async t => {
  const { certificateStatus } = await openStore(t)
  await certificateStatus.draft(place, now)
  await certificateStatus.draft(place, now)
  t.is(await certificateStatus.find(place), undefined)
  t.is(await certificateStatus.publish(listOf(2), entry('crl.published')), 'done')
  t.is(await certificateStatus.publish(listOf(1), entry('crl.published')), 'older')
  t.is(await certificateStatus.publish(listOf(2), entry('crl.published')), 'older')
  t.deepEqual((await certificateStatus.find(place))?.bytes, Uint8Array.of(2))
  t.like(await certificateStatus.list(), [{ number: 2, shard: 3 }])
})

test('a list that was never made, or ends soon, is due', async t => {
  const { certificateStatus } = await openStore(t)
  t.deepEqual(await certificateStatus.listDue('ab', now, 4), [0, 1, 2, 3])
  await certificateStatus.draft(place, now)
  t.deepEqual(await certificateStatus.listDue('ab', now, 4), [0, 1, 2, 3])
  await certificateStatus.publish(listOf(1), entry('crl.published'))
  t.deepEqual(await certificateStatus.listDue('ab', now, 4), [0, 1, 2])
  t.deepEqual(await certificateStatus.listDue('ab', now + 2000, 4), [0, 1, 2, 3])
})
