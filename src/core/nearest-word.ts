/** The one of some words that another was most likely meant to be; undefined where none is near. */
export function nearestWord(word: string, candidates: readonly string[]): string | undefined {
  const scored = candidates.map(candidate => ({
    candidate,
    distance: editDistance(word, candidate),
  }))
  scored.sort((left, right) => left.distance - right.distance)
  const [best] = scored
  return best !== undefined && best.distance <= Math.max(2, word.length / 3)
    ? best.candidate
    : undefined
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= right.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[right.length] ?? 0
}
