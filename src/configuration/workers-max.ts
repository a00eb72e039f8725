/** More processes than this on one machine only take turns. */
export const WORKERS_MAX = 64
