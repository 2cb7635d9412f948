import { printable } from '../attester/remote-error.ts'
import { cellOf, type ShownRecord } from './records.ts'
import { renderFacts, renderTime } from './table.ts'

/** A grant request as a person reads it before saying yes: everything that it is bound to. */
export function grantLines(request: ShownRecord): string[] {
  const of = (name: string): string | undefined => cellOf(request, name) || undefined
  const time = (name: string): string | undefined => renderTime(request[name]) || undefined
  return [
    ...renderFacts([
      ['request', of('id')],
      ['status', of('status')],
      ['agent', of('agent')],
      ['key', of('jkt')],
      ['host', of('hostId')],
      ['what', `${cellOf(request, 'action')} for ${cellOf(request, 'audience')}`],
      ['token for', of('audiences')],
      ['scopes', of('scopes') ?? 'none'],
      ['asked by', of('initiator')],
      ['through', of('actors')],
      ['passed on to', of('mayAct')],
      ['policies', of('policies')],
      ['may count', longestText(request)],
      ['asked', time('requestedAt')],
      ['until', time('expiresAt')],
      ['decided', time('decidedAt')],
      ['by', of('decidedBy')],
      ['reason', of('reason')],
      ['uses', of('uses')],
    ]),
    ...detailLines(request),
  ]
}

/** How an approval counts. */
export function minutesText(request: ShownRecord): string {
  const minutes = cellOf(request, 'minutes')
  return minutes === '' ? 'for one token' : `for ${minutes} minutes`
}

function longestText(request: ShownRecord): string {
  const minutes = cellOf(request, 'maxMinutes')
  return minutes === '' ? 'once' : `once, or up to ${minutes} minutes`
}

function detailLines({ details }: ShownRecord): string[] {
  if (!Array.isArray(details)) return []
  const lines = JSON.stringify(details, undefined, 2).split('\n')
  return ['authorization details:', ...lines.map(line => `  ${printable(line)}`)]
}
