/** The names of the article's example, used wherever something has to be called something. */
export const NAMES = {
  group: 'myResourceGroup',
  location: 'westeurope',
  replica: 'eastus',
  network: 'myDockerVMVNET',
  subnet: 'myDockerVMSubnet',
  machineInterface: 'myDockerVMVMNic',
  registry: 'myregistry',
  repository: 'hello-world',
  tag: 'v1',
  endpoint: 'myPrivateEndpoint',
  connection: 'myConnection',
  link: 'MyDNSLink',
} as const
