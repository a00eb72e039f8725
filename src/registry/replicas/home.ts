/** The home of every registry, where a region is named: they share one store. No region of Azure is called so. */
export const HOME = 'home'
