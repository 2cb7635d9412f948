import { isToken, type CeremonyScript, type KeyScript } from './script.ts'

/** The files that a ceremony is to leave behind, as it names them. */
export function outputPathsOf(script: CeremonyScript): string[] {
  switch (script.ceremony) {
    case 'root':
      return [...madeKey(script.key), script.certificate]
    case 'request':
      return [...madeKey(script.key), script.request]
    case 'intermediate':
      return [...madeKey(script.key), script.certificate, ...stated(script.chain)]
    case 'cross-certificate':
      return [script.certificate, ...stated(script.chain)]
    default:
      return [script.list]
  }
}

function madeKey(key: KeyScript | undefined): string[] {
  return key?.make === undefined || isToken(key.place) ? [] : [key.place]
}

function stated(path: string | undefined): string[] {
  return path === undefined ? [] : [path]
}
