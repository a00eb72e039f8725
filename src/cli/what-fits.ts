import type { Argument, Command, Option } from 'commander'

/** A word that could stand where the cursor is. */
export interface Candidate {
  readonly word: string
  readonly description?: string | undefined
}

/** What fits at the cursor. */
export type Fitting =
  | { readonly kind: 'words'; readonly candidates: readonly Candidate[] }
  /** A value of what the placeholder in the command's help says; `prefix` stands before it in the same word. */
  | {
      readonly kind: 'value'
      readonly placeholder: string
      readonly prefix: string
      /** Values of the options before the cursor, by the option's name. */
      readonly given: Readonly<Record<string, string>>
    }
  /** The command line of another program, which begins at this word. */
  | { readonly kind: 'command'; readonly from: number }

/** Reads a command line as far as the cursor against the description of the commands; the last word may be unfinished. */
export function whatFits(program: Command, words: readonly string[]): Fitting {
  const given: Record<string, string> = {}
  const used = new Set<Option>()
  const before = words.slice(0, -1)
  const last = words.at(-1) ?? ''
  let command = program
  let operands = 0
  let onlyOperands = false
  let pending: Option | undefined
  for (const [position, word] of before.entries()) {
    if (pending) {
      given[pending.attributeName()] = word
      pending = undefined
    } else if (word === '--' && !onlyOperands) {
      onlyOperands = true
    } else if (word.startsWith('-') && !onlyOperands) {
      const { option, value } = findOption(command, word)
      if (option) used.add(option)
      if (option && value !== undefined) given[option.attributeName()] = value
      pending = option && takesValue(option) && value === undefined ? option : undefined
    } else {
      const next = command.commands.find((each) => each.name() === word)
      const argument = command.registeredArguments[operands]
      if (next) command = next
      else if (argument?.variadic) return fittingRest(argument, position, given)
      else operands += 1
    }
  }
  if (pending) return fittingValue(pending, '', last, given)
  if (last.startsWith('-') && !onlyOperands) {
    const { option, value } = findOption(command, last)
    if (option && value !== undefined) {
      return fittingValue(option, last.slice(0, last.length - value.length), last, given)
    }
    return fitting(optionsOf(command, used), last)
  }
  const argument = command.registeredArguments[operands]
  if (argument?.variadic) return fittingRest(argument, before.length, given)
  const choices = argument?.argChoices?.map((word) => ({ word }))
  if (choices) return fitting(choices, last)
  if (argument) return { kind: 'value', placeholder: argument.name(), prefix: '', given }
  const { commands } = command
  if (commands.length > 0) return fitting(commands.filter(isShown).map(asCandidate), last)
  return fitting(optionsOf(command, used), last)
}

const fitting = (candidates: readonly Candidate[], start: string): Fitting => ({
  kind: 'words',
  candidates: candidates.filter(({ word }) => word.startsWith(start)),
})

const asCandidate = (command: Command): Candidate => ({
  word: command.name(),
  description: command.description(),
})

// Names of commands that are not for people begin so.
const isShown = (command: Command): boolean => !command.name().startsWith('__')

function fittingValue(
  option: Option,
  prefix: string,
  last: string,
  given: Readonly<Record<string, string>>,
): Fitting {
  const choices = option.argChoices?.map((choice) => ({ word: `${prefix}${choice}` }))
  if (choices) return fitting(choices, last)
  return { kind: 'value', placeholder: placeholderOf(option), prefix, given }
}

/** From its first word on, what is passed on is not ours to read. */
const fittingRest = (
  argument: Argument,
  from: number,
  given: Readonly<Record<string, string>>,
): Fitting =>
  argument.name() === 'command'
    ? { kind: 'command', from }
    : { kind: 'value', placeholder: argument.name(), prefix: '', given }

const takesValue = (option: Option): boolean => option.required || option.optional

function findOption(command: Command, word: string): { option?: Option; value?: string } {
  const [name = '', ...rest] = word.split('=')
  const option = command.options.find(({ long, short }) => name === long || name === short)
  if (!option) return {}
  return rest.length > 0 && takesValue(option) ? { option, value: rest.join('=') } : { option }
}

const optionsOf = (command: Command, used: ReadonlySet<Option>): readonly Candidate[] => [
  ...command.options
    .filter((option) => !used.has(option) && option.long)
    .map(({ long, description }) => ({ word: long ?? '', description })),
  { word: '--help', description: 'display help for command' },
]

const placeholderOf = (option: Option): string => /[<[]([^\]>]+)/.exec(option.flags)?.[1] ?? ''
