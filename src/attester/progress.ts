/** Is told, in a few words for people, what is being done next. */
export type Progress = (step: string) => void

/** Tells nobody. */
export const silent: Progress = () => undefined
