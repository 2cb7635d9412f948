/** How calls ended: how many were done, and how many failed with each code. */
export async function codesOf(calls: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const result of await Promise.allSettled(calls)) {
    const word = result.status === 'fulfilled' ? 'done' : (result.reason as { code: string }).code
    counts[word] = (counts[word] ?? 0) + 1
  }
  return counts
}
