/** Every usable address of the subnet is taken. */
export class PlaceFull extends Error {
  override readonly name = 'PlaceFull'
  constructor(subnet: string, prefix: string) {
    super(`The subnet '${subnet}' (${prefix}) has no free address for another program.`)
  }
}
