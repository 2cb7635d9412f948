interface Page {
  readonly moreData: boolean
  readonly capabilityData: Uint8Array
}

const pageSize = 254 // MAX_CAP_HANDLES of a TPM with a capability buffer of 1,024 octets

/** All of a TPML_HANDLE that comes in pages: TPM 2.0 Part 3 r01.59 §30.2. */
export async function handlesFrom(
  first: number,
  readPage: (property: number, count: number) => Promise<Page>,
): Promise<number[]> {
  const all: number[] = []
  for (let property = first, more = true; more;) {
    const page = await readPage(property, pageSize)
    const handles = wordsOf(page.capabilityData)
    all.push(...handles)
    more = page.moreData && handles.length > 0
    property = (handles.at(-1) ?? 0) + 1
  }
  return all
}

/** The value of one property in a TPML_TAGGED_TPM_PROPERTY; the TPM answers with the next one it has. */
export function propertyOf(page: Page, property: number): number | undefined {
  const [tag, value] = wordsOf(page.capabilityData)
  return tag === property ? value : undefined
}

// TPMS_CAPABILITY_DATA: UINT32 capability, UINT32 count, then words.
function wordsOf(capabilityData: Uint8Array): number[] {
  const view = new DataView(
    capabilityData.buffer,
    capabilityData.byteOffset,
    capabilityData.byteLength,
  )
  return Array.from({ length: (view.byteLength - 8) / 4 }, (_, i) => view.getUint32(8 + 4 * i))
}
