import { readFile } from 'node:fs/promises'
import { sharedData } from './shared-data.ts'

/** A code block of the article: its language and its text, untouched. */
export interface Block {
  readonly language: string
  readonly text: string
}

/** The commands of the article in the order of its text. */
export interface ArticleCommands {
  /** Choose the subscription, register the provider. */
  readonly prerequisites: string
  /** The assignments of the five variables, with placeholders. */
  readonly variables: string
  /** From the subnet's policies to switching public access off. */
  readonly setUp: string
  /** What is tried from a machine in the network. */
  readonly fromTheNetwork: string
  readonly manageConnections: string
  readonly cleanUp: string
}

const FENCED = /^```(\w+)[^\n]*\n([\s\S]*?)^```/gm

/** Reads the article's shell commands. @throws when it is not cut as this file expects. */
export async function articleCommands(): Promise<ArticleCommands> {
  const text = await readFile(sharedData('article/article.ko.md'), 'utf8')
  const [before = '', cli = ''] = text.split(/^## <a name="set-up-private-endpoint---cli">/m)
  const [variables, ...commands] = shellBlocks(cli)
  const first = (language: string, from = 0) =>
    commands.findIndex((block, index) => index >= from && block.language === language)
  // Only what is typed on the machine in the network is marked as bash; az on the host is azurecli.
  const validate = first('bash')
  const manage = first('azurecli', validate)
  const prerequisites = shellBlocks(before)
  if (!variables || validate < 1 || manage < 0 || prerequisites.length !== 1) {
    throw new Error('the article is cut differently from what this test knows')
  }
  return {
    prerequisites: joined(prerequisites),
    variables: variables.text,
    setUp: joined(commands.slice(0, validate)),
    fromTheNetwork: joined(commands.slice(validate, manage)),
    manageConnections: joined(commands.slice(manage, manage + 1)),
    cleanUp: joined(commands.slice(manage + 1)),
  }
}

/** Puts a value in the place of each `<placeholder>`; every one must have a value. */
export function fillPlaceholders(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/<([^<>\n]+)>/g, (placeholder, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`no value for the article's ${placeholder}`)
    return value
  })
}

const shellBlocks = (markdown: string): readonly Block[] =>
  [...markdown.matchAll(FENCED)]
    .map(([, language = '', text = '']) => ({ language, text }))
    .filter(({ language }) => language === 'azurecli' || language === 'bash')

const joined = (blocks: readonly Block[]): string => blocks.map(({ text }) => text).join('\n')
