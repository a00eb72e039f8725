/** Newest first. https://learn.microsoft.com/azure/templates/microsoft.containerregistry/change-log/registries */
export const API_VERSIONS: readonly string[] = [
  '2025-11-01',
  '2025-04-01',
  '2025-03-01-preview',
  '2024-11-01-preview',
  '2023-11-01-preview',
  '2023-08-01-preview',
  '2023-07-01',
  '2023-06-01-preview',
  '2023-01-01-preview',
  '2022-12-01',
  '2022-02-01-preview',
  '2021-12-01-preview',
  '2021-09-01',
  '2021-08-01-preview',
  '2021-06-01-preview',
  '2020-11-01-preview',
  '2019-12-01-preview',
  '2019-05-01',
  '2017-10-01',
]

/** Stable versions had no tokens and scope maps before 2022-12-01, and one preview lacked them. */
const WITHOUT_TOKENS = ['2021-09-01', '2019-12-01-preview', '2019-05-01', '2017-10-01']

export const TOKEN_API_VERSIONS: readonly string[] = [
  ...API_VERSIONS.filter((version) => !WITHOUT_TOKENS.includes(version)),
  '2019-05-01-preview',
]
