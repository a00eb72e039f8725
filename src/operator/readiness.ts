import type { PlaceStatus } from '../places/place-status.ts'
import type { Support } from '../places/support.ts'

/** What is missing of all that the server should serve, each in a sentence's half; nothing: it serves. */
export const whatIsMissing = (state: {
  readonly support: Support
  readonly places: readonly Pick<PlaceStatus, 'name' | 'state'>[]
}): readonly string[] => [
  ...(state.support.available ? [] : ['there are no places on this machine']),
  ...state.places
    .filter((place) => place.state !== 'ready')
    .map(({ name }) => `the place ${name} is not in effect`),
]
