import { join } from 'node:path'

/** The project's own folder. */
export const projectFolder = join(import.meta.dirname, '../..')

/** A file of the data that checkouts may share and that is not part of the project: the article, recordings. */
export const sharedData = (path: string): string =>
  join(process.env.CAUSEWAY_SHARED_DATA ?? join(projectFolder, '../shared'), path)
