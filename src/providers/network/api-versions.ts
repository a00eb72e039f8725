/** Of all types of the namespace's networks; newest first. */
export const API_VERSIONS = ['2024-05-01', '2024-01-01', '2023-11-01', '2022-07-01', '2022-01-01']
