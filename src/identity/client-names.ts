/** The programs of Microsoft that people sign in to, by the ids that these programs send. */
const CLIENTS: ReadonlyMap<string, string> = new Map([
  // The SDKs' browser and device code credentials go by it as well.
  ['04b07795-8ddb-461a-bbee-02f9e1bf7b46', 'Azure CLI'],
  ['1950a258-227b-4e31-a9cf-717495945fc2', 'Azure PowerShell'],
  ['aebc6443-996d-45c2-90f0-388ff96faa56', 'Visual Studio Code'],
])

/** What a client is called before a person. Anybody can send an id: the name says what it claims to be. */
export const clientName = (clientId: string): string =>
  CLIENTS.get(clientId.toLowerCase()) ?? `The program ${clientId}`
