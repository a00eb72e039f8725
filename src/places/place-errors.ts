/** There is no such place, or it could not be made. */
export class PlaceUnknown extends Error {
  override readonly name = 'PlaceUnknown'
  constructor(place: string) {
    super(`There is no place '${place}'.`)
  }
}

export class SubnetUnknown extends Error {
  override readonly name = 'SubnetUnknown'
  constructor(place: string, subnet: string | undefined) {
    super(
      subnet === undefined
        ? `The network of '${place}' has no subnet in which a program could stand.`
        : `The network of '${place}' has no subnet '${subnet}'.`,
    )
  }
}

/** There it is, but it could not be made so that a program could do anything in it. */
export class PlaceBroken extends Error {
  override readonly name = 'PlaceBroken'
  constructor(place: string, cause: string | undefined) {
    super(`Names are not answered in '${place}'${cause === undefined ? '.' : `: ${cause}`}`)
  }
}

/** This machine cannot have places. */
export class PlacesUnavailable extends Error {
  override readonly name = 'PlacesUnavailable'
  constructor(cause: string, cure: string) {
    super(`${cause} ${cure}`)
  }
}

/** Some places are not as they should be; the others are in effect. */
export class PlacesNotInEffect extends Error {
  override readonly name = 'PlacesNotInEffect'
  constructor(failures: ReadonlyMap<string, string>) {
    super([...failures].map(([place, cause]) => `${place}: ${cause}`).join('; '))
  }
}
