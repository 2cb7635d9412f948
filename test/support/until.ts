/** Asks again and again until it is so. Throws after a minute: no sound machine is that slow. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within a minute: ${isSo.toString()}`)
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}
