import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { ConfigError } from './config-error.ts'
import { configFile } from './config-file.ts'
import { parseConfigFile } from './read-config-file.ts'

const refused = (text: string): string => {
  try {
    parseConfigFile('c.yaml', text)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'it was taken'
}

test('what the document calls an example is a configuration file', async () => {
  const document = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  const [, example = ''] = /```yaml\n(.*?)```/s.exec(document) ?? []
  const { registryDomain, names } = parseConfigFile('example.yaml', example)
  assert.equal(registryDomain, 'registry.example.com')
  assert.deepEqual(names?.listeners, [
    { address: '192.0.2.10', port: 53, allowedClients: ['192.0.2.0/24'] },
  ])
})

test('the document has every key of the schema, and no other', async () => {
  const document = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  const described = [...document.matchAll(/^\| `([^`]+)` \|/gm)].map(([, key]) => key)
  assert.deepEqual(described, keysOf(configFile))
})

/** `registry.listeners`, not what the items of a list have. */
function keysOf(schema: object): readonly string[] {
  const { properties = {} } = schema as { properties?: Record<string, object> }
  return Object.entries(properties).flatMap(([name, inner]) => {
    const below = keysOf(inner)
    return below.length === 0 ? [name] : below.map((key) => `${name}.${key}`)
  })
}

test('JSON will do, and so will nothing', () => {
  assert.deepEqual(parseConfigFile('c.json', '{"port": 0}'), { port: 0 })
  assert.deepEqual(parseConfigFile('c.yaml', '# nothing yet\n'), {})
})

for (const [title, text, words] of [
  [
    'a key that is not known is named with its line and the nearest one',
    'port: 1\nregistryDomian: x.example\n',
    'c.yaml:2: registryDomian: not known; did you mean registryDomain?',
  ],
  [
    'a key that is like no other is answered with those there are',
    'health:\n  frequency: 3\n',
    'c.yaml:2: health.frequency: not known; known here: listeners.',
  ],
  [
    'names of JavaScript are not known either',
    'constructor: 3\n',
    /^c\.yaml:1: constructor: not known; known here: dataFolder, /,
  ],
  [
    'a value of the wrong type',
    'port: many\n',
    'c.yaml:1: port is "many": give a port, a number from 0 to 65535; 0 takes a free one',
  ],
  [
    'a value out of range, in a list',
    'registry:\n  listeners:\n    - address: 192.0.2.1\n      port: 70000\n',
    'c.yaml:4: registry.listeners[0].port is 70000: give a port, a number from 1 to 65535',
  ],
  [
    'a grace that ends before it begins',
    'garbageCollection:\n  graceHours: -1\n',
    'c.yaml:2: garbageCollection.graceHours is -1: give a number of hours from 0 to 8760',
  ],
  ['a key without a value', 'egress:\n  allow:\n', 'c.yaml:2: egress.allow is empty: give a list'],
  [
    'a list where a mapping belongs',
    'names: [53]\n',
    'c.yaml:1: names is a list: give a mapping with port or listeners',
  ],
  [
    'an item that lacks a key, and everything else that is wrong',
    'certificates:\n  - chainFile: a.pem\nlogLevel: loud\n',
    'c.yaml:2: certificates[0].keyFile is missing\nc.yaml:3: logLevel is "loud": give one of trace, debug, info, warn, error, fatal',
  ],
  ['a file that is a list', '- port\n', /^c\.yaml:1: the file is a list: give a mapping with /],
  ['what is no YAML', 'port: [1\n', /^c\.yaml:2: this is not YAML: /],
  ['a key given twice', 'port: 1\nport: 2\n', /^c\.yaml:2: this is not YAML: .*unique/],
  ['an alias of nothing', 'port: *nothing\n', /alias/],
  [
    'a domain of one label',
    'registryDomain: local\n',
    'c.yaml:1: registryDomain is "local": give a domain of two labels or more, such as registry.example.com',
  ],
  [
    'a target that is neither prefix nor name',
    'egress:\n  allow:\n    - git.example.com\n    - 10.0.0.0/33\n',
    'c.yaml:4: egress.allow[1] is "10.0.0.0/33": give a prefix of addresses, such as 10.0.0.0/8, or a host name',
  ],
  [
    'a resolver that is open to everybody',
    'registry:\n  listeners: [{ address: 192.0.2.1, port: 443 }]\nnames:\n  listeners:\n    - { address: 192.0.2.1, port: 53, allowedClients: [0.0.0.0/0] }\n',
    'c.yaml:5: names.listeners: a resolver is never open to everybody; give allowedClients the prefixes of your networks',
  ],
  [
    'names of a registry that listens nowhere',
    'names:\n  listeners:\n    - { address: 192.0.2.1, port: 53, allowedClients: [192.0.2.0/24] }\n',
    'c.yaml:2: names.listeners tell where the registry listens beyond loopback: add registry.listeners',
  ],
  [
    'every address, and no name could lead there',
    'registry:\n  listeners: [{ address: 0.0.0.0, port: 443 }]\n',
    /^c\.yaml:2: .* add registry\.advertisedAddresses/,
  ],
  [
    'a control plane without a name',
    'controlPlane:\n  listeners: [{ address: 192.0.2.1, port: 443 }]\n',
    'c.yaml:2: controlPlane.listeners serve by name: add controlPlane.hostNames',
  ],
  [
    'a control plane by the name that a registry could have',
    'registryDomain: r.example.com\ncontrolPlane:\n  listeners: [{ address: 192.0.2.1, port: 443 }]\n  hostNames: [api.r.example.com]\n',
    /^c\.yaml:4: controlPlane\.hostNames\[0\] is "api\.r\.example\.com"/,
  ],
  [
    'two things on one socket',
    'health:\n  listeners: [{ address: 192.0.2.1, port: 443 }]\nregistry:\n  listeners: [{ address: 192.0.2.1, port: 443 }]\n',
    'c.yaml:2: health.listeners: 192.0.2.1:443 is taken by registry.listeners',
  ],
] as const) {
  test(`refused: ${title}`, () => {
    if (typeof words === 'string') assert.equal(refused(text), words)
    else assert.match(refused(text), words)
  })
}
