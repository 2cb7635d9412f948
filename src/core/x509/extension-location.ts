import { nonEmpty } from '../der/list.ts'
import type { DerReader } from '../der/reader.ts'
import { constructedContextTag, contextTag, TAG } from '../der/tag.ts'
import { readNamedBits, readObjectIdentifier, type DeviationSet } from '../der/value.ts'
import { readGeneralName } from './general-name.ts'

const listLimit = 64

/** URIs of CRLDistributionPoints. RFC 5280 §4.2.1.13. Throws DerError. */
export function readDistributionPoints(reader: DerReader, deviations: DeviationSet): string[] {
  return reader.within(TAG.sequence, inside =>
    nonEmpty(
      inside.each(listLimit, points =>
        points.within(TAG.sequence, point => readDistributionPoint(point, deviations)),
      ),
    ).flat(),
  )
}

function readDistributionPoint(reader: DerReader, deviations: DeviationSet): string[] {
  const uris = reader.optional(constructedContextTag(0), choice =>
    readPointName(choice, deviations),
  )
  if (reader.isNext(contextTag(1))) readNamedBits(reader, deviations, contextTag(1))
  reader.optional(constructedContextTag(2), names => readUris(names, deviations))
  return uris ?? []
}

/** URIs of a DistributionPointName; none of one that is relative. RFC 5280 §4.2.1.13, §5.2.5. Throws DerError. */
export function readPointName(reader: DerReader, deviations: DeviationSet): string[] {
  if (reader.isNext(constructedContextTag(0)))
    return reader.within(constructedContextTag(0), names => readUris(names, deviations))
  reader.element()
  return []
}

function readUris(reader: DerReader, deviations: DeviationSet): string[] {
  return nonEmpty(reader.each(listLimit, names => readGeneralName(names, deviations))).flatMap(
    name => (name.kind === 'uri' ? [name.text] : []),
  )
}

/** URIs of id-ad-caIssuers in AuthorityInfoAccess. RFC 5280 §4.2.2.1. Throws DerError. */
export function readAccess(reader: DerReader, deviations: DeviationSet): string[] {
  return reader.within(TAG.sequence, inside =>
    nonEmpty(
      inside.each(listLimit, descriptions =>
        descriptions.within(TAG.sequence, description => {
          const method = readObjectIdentifier(description)
          const location = readGeneralName(description, deviations)
          return method === '1.3.6.1.5.5.7.48.2' && location.kind === 'uri' ? [location.text] : []
        }),
      ),
    ).flat(),
  )
}
