import { access } from 'node:fs/promises'

/** Whether something is at the path that this process can see; a dangling link is nothing. */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
