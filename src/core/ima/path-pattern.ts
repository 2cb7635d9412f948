/**
 * Whether a path falls under a pattern: one that ends in a slash is a folder with all below it, any other exactly one
 * path. Nothing else has a meaning, and a path with a way back in it falls under no folder.
 */
export function matchesPath(pattern: string, path: string): boolean {
  if (!pattern.endsWith('/')) return pattern === path
  return path.startsWith(pattern) && !path.includes('/../') && !path.endsWith('/..')
}
