import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command, Option } from 'commander'
import { type Fitting, whatFits } from './what-fits.ts'

function program(): Command {
  const root = new Command('tool')
  root
    .command('up')
    .description('serve')
    .option('-f, --follow', 'go on')
    .option('--port <number>')
    .addOption(new Option('--colour <when>').choices(['always', 'never']))
  root
    .command('exec')
    .option('--vnet <network>', 'inside')
    .option('--as <principal>')
    .argument('<command...>')
  const people = root.command('people')
  people.command('show <principal>').description('tell')
  root.command('pass').option('--as <principal>').argument('[words...]')
  root.command('__hidden')
  return root
}

const words = (fit: Fitting) =>
  fit.kind === 'words' ? fit.candidates.map(({ word }) => word) : fit.kind

for (const [line, expected] of [
  [[''], ['up', 'exec', 'people', 'pass']],
  [['p'], ['people', 'pass']],
  [['people', ''], ['show']],
  [
    ['up', ''],
    ['--follow', '--port', '--colour', '--help'],
  ],
  [
    ['up', '-f', '--'],
    ['--port', '--colour', '--help'],
  ],
  [
    ['up', '--port', '1', '-'],
    ['--follow', '--colour', '--help'],
  ],
  [['up', '--colour', 'n'], ['never']],
  [
    ['up', '--colour='],
    ['--colour=always', '--colour=never'],
  ],
  [
    ['nonsense', ''],
    ['up', 'exec', 'people', 'pass'],
  ],
] as const) {
  test(`fitting after '${line.join(' ')}': ${expected.join(' ')}`, () => {
    assert.deepEqual(words(whatFits(program(), line)), expected)
  })
}

for (const [line, placeholder, prefix, given] of [
  [['exec', '--vnet', ''], 'network', '', {}],
  [['exec', '--vnet=a'], 'network', '--vnet=', {}],
  [['exec', '--vnet', 'a', '--as', 'b'], 'principal', '', { vnet: 'a' }],
  [['exec', '--vnet=a', '--as='], 'principal', '--as=', { vnet: 'a' }],
  [['people', 'show', 'x'], 'principal', '', {}],
  [['pass', 'a', '--as', ''], 'words', '', {}],
] as const) {
  test(`'${line.join(' ')}' ends in a ${placeholder}`, () => {
    assert.deepEqual(whatFits(program(), line), { kind: 'value', placeholder, prefix, given })
  })
}

test('another program is told of with its place, from its first word on', () => {
  assert.deepEqual(whatFits(program(), ['exec', '--as', 'b', 'l']), { kind: 'command', from: 3 })
  assert.deepEqual(whatFits(program(), ['exec', '--', 'ls', '-']), { kind: 'command', from: 2 })
})
