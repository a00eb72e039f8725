import { Argument, Command, CommanderError, Option } from 'commander'
import { packageVersion } from '../config.ts'
import { ConfigError } from '../configuration/config-error.ts'
import { CannotStart } from '../lib/cannot-start.ts'
import { CommandError } from './command-error.ts'
import { bad, printError } from './terminal.ts'

const DATA = ['--data <folder>', 'the data folder; CAUSEWAY_DATA names it as well'] as const
const CONFIG = ['--config <file>', 'the configuration file; CAUSEWAY_CONFIG as well'] as const
const JSON_OUTPUT = ['--json', 'print JSON for machines'] as const

/** Runs one command line; returns the process's exit code: 0 done, 1 failed, 2 wrong usage, else the program's own. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  let exitCode = 0
  const program = describeCommands((code) => {
    exitCode = code
  })
  try {
    await program.parseAsync([...argv])
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof ConfigError) return complain(error.message, 2)
    if (error instanceof CommandError) return complain(error.message, error.exitCode)
    if (error instanceof CannotStart) return complain(error.message, 1)
    printError(bad(`causeway failed in a way that it did not foresee: ${(error as Error)?.stack}`))
    return 1
  }
}

function complain(message: string, exitCode: number): number {
  printError(`${bad('causeway:')} ${message}`)
  return exitCode
}

// Each command's code is loaded only when it is called: `exec` must not wait for the server's libraries.
function describeCommands(exit: (code: number) => void): Command {
  const program = new Command('causeway')
    .description('A container registry that you reach by private link, on your own machines.')
    .version(packageVersion(), '--version', 'print the version')
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, `${bad('causeway:')} `)),
    })
    .enablePositionalOptions()

  program
    .command('up')
    .description(
      'serve until Ctrl-C; the first start makes a registry behind a private endpoint, and proves it',
    )
    .option(...DATA)
    .option('--empty', 'make and prove nothing')
    .option('--port <number>', 'loopback port of the control plane; 0 takes a free one')
    .option('--log-level <level>', 'least of what is logged; CAUSEWAY_LOG_LEVEL as well')
    .option(
      '--workers <number>',
      'processes that serve registries, or auto; CAUSEWAY_WORKERS as well',
    )
    .action(async (flags) => exit(await (await import('./up.ts')).up(flags)))

  program
    .command('down')
    .description('stop the server and remove its namespaces; data stay')
    .option(...DATA)
    .option('--purge', 'remove the data folder as well')
    .action(async (flags) => exit(await (await import('./down.ts')).down(flags)))

  program
    .command('status')
    .description('tell what is served and where; exit code 0 only when all of it is')
    .option(...DATA)
    .option(...JSON_OUTPUT)
    .action(async (flags) => exit(await (await import('./status.ts')).status(flags)))

  inPlace(program, 'exec')
    .description('run a program in a place; its exit code is passed on')
    .passThroughOptions()
    .argument('<command...>', 'the program')
    .addHelpText('after', '\nFor instance: causeway exec --vnet NAME -- dig myregistry.azurecr.io')
    .action(async (command, flags) => exit(await (await import('./exec.ts')).exec(flags, command)))

  inPlace(program, 'shell')
    .description('open a shell in a place')
    .action(async (flags) => exit(await (await import('./exec.ts')).shell(flags)))

  program
    .command('resolve <name> [type]')
    .description('tell what a name leads to as seen from somewhere, and why; no place is needed')
    .option(...DATA)
    .option('--vnet <name>', 'from inside this virtual network')
    .option('--resource-group <group>', 'where two networks have the same name')
    .option('--internet', 'from outside every network')
    .option('--host', 'as the resolver on this host answers')
    .option(...JSON_OUTPUT)
    .action(async (name, type, flags) =>
      exit(await (await import('./resolve.ts')).resolve(name, type ?? 'A', flags)),
    )

  program
    .command('az')
    .description('run az on this host, signed in to Causeway; ~/.azure is not touched')
    .option(...DATA)
    .option('--as <principal>', 'signed in as this principal; as the owner by default')
    .passThroughOptions()
    .allowUnknownOption()
    .argument('[words...]', "what az is to do; 'causeway az -- --help' shows its own help")
    .addHelpText('after', '\nFor instance: causeway az acr list --output table')
    .action(async (words, flags) => exit(await (await import('./az.ts')).az(words, flags)))

  program
    .command('env')
    .description('print what a shell must evaluate so that SDKs and Terraform on this host work')
    .option(...DATA)
    .option('--as <principal>', 'with the ids of this principal; without any by default')
    .option('--secret-file <file>', 'and with its secret, from a file that nobody else can read')
    .addOption(
      new Option('--shell <shell>', 'in whose words').choices(['sh', 'fish']).default('sh'),
    )
    .option(...JSON_OUTPUT)
    .addHelpText('after', '\nFor instance: eval "$(causeway env)"')
    .action(async (flags) => exit(await (await import('./env.ts')).env(flags)))

  const principal = program.command('principal').description('who may sign in, and as what')
  principal
    .command('create <name>')
    .description('make somebody who may sign in; the secret is shown once')
    .option(...DATA)
    .option('--role <role>', 'give it this role (Owner, Contributor, Reader, AcrPull, AcrPush, …)')
    .option('--scope <id>', 'on this resource, group or subscription; the subscription by default')
    .option('--user', 'a person, who signs in by browser or device code with a password')
    .option('--certificate <file>', 'let it sign in by this X.509 certificate, without a secret')
    .option(...JSON_OUTPUT)
    .action(async (name, flags) =>
      exit(await (await import('./principal.ts')).createPrincipal(name, flags)),
    )
  principal
    .command('list')
    .description('list the principals and their roles')
    .option(...DATA)
    .option(...JSON_OUTPUT)
    .action(async (flags) => exit(await (await import('./principal.ts')).listPrincipals(flags)))
  principal
    .command('show <principal>')
    .description('tell who a principal is and what it may do')
    .option(...DATA)
    .option(...JSON_OUTPUT)
    .action(async (name, flags) =>
      exit(await (await import('./principal.ts')).showPrincipal(name, flags)),
    )
  principal
    .command('reset <principal>')
    .description('give a principal a new secret in place of those it has')
    .option(...DATA)
    .option(...JSON_OUTPUT)
    .action(async (name, flags) =>
      exit(await (await import('./principal.ts')).resetPrincipal(name, flags)),
    )
  principal
    .command('delete <principal>')
    .description('delete a principal; its tokens end at once')
    .option(...DATA)
    .action(async (name, flags) =>
      exit(await (await import('./principal.ts')).deletePrincipal(name, flags)),
    )

  program
    .command('backup <file>')
    .description('write the data folder into one file, also while it is served')
    .option(...DATA)
    .action(async (file, flags) =>
      exit(await (await import('./backup.ts')).backupCommand(file, flags)),
    )
  program
    .command('restore <file>')
    .description('make a data folder from such a file')
    .option(...DATA)
    .action(async (file, flags) =>
      exit(await (await import('./backup.ts')).restoreCommand(file, flags)),
    )
  program
    .command('gc')
    .description('remove what nothing needs and whose grace is over; the server does it by itself')
    .option(...DATA)
    .option('--dry-run', 'remove nothing; tell what will be removed, why and when')
    .option('--no-grace', 'do not wait: pushes that go on now may have to begin again')
    .option(...JSON_OUTPUT)
    .action(async (flags) => exit(await (await import('./gc.ts')).gc(flags)))
  program
    .command('scrub')
    .description('read every blob again and set aside what has not the bytes of its digest')
    .option(...DATA)
    .option('--rate <number>', 'MiB to read in a second at most', '50')
    .option('--restart', 'begin anew instead of going on where it stopped')
    .option(...JSON_OUTPUT)
    .action(async (flags) => exit(await (await import('./scrub.ts')).scrub(flags)))
  program
    .command('doctor')
    .description('look at the machine and the data folder; tell what to mend, and how')
    .option(...DATA)
    .option('--port <number>', 'the loopback port to look at')
    .option(...JSON_OUTPUT)
    .action(async (flags) => exit(await (await import('./doctor.ts')).doctor(flags)))

  program
    .command('trust')
    .description(
      'let every program of this machine trust the certificates of localhost (never those of places)',
    )
    .option(...DATA)
    .option('--remove', 'take the authority out of the trust store again')
    .option('--yes', 'do not ask')
    .action(async (flags) => exit(await (await import('./trust.ts')).trustCommand(flags)))

  program
    .command('logs')
    .description("print the server's log")
    .option(...DATA)
    .option('-f, --follow', 'go on as it grows')
    .option('-n, --lines <number>', 'how many of the last lines', '100')
    .option('--json', 'as it was written: JSON lines')
    .option('--reopen', 'have the server write a new file, after the old one was renamed')
    .action(async (flags) => exit(await (await import('./logs.ts')).logs(flags)))

  program
    .command('audit')
    .description('tell who did what to registries, from where, and with which result')
    .option(...DATA)
    .option('--registry <name>', 'of this registry alone')
    .option('--repository <name>', 'of this repository alone')
    .addOption(new Option('--table <table>', 'of one table alone').choices(['login', 'repository']))
    .option('--since <time>', 'all since then: 2026-11-25, 2026-11-25T08:00Z, 30m, 12h, 7d')
    .option('-n, --lines <number>', 'how many of the last events; 100 without --since')
    .option('-f, --follow', 'go on as they come')
    .option('--json', "JSON lines with the columns of Azure Monitor's tables")
    .action(async (flags) => exit(await (await import('./audit.ts')).audit(flags)))

  program
    .command('completion')
    .description('print a script that lets a shell complete these commands')
    .addArgument(new Argument('<shell>', 'whose script').choices(['bash', 'zsh', 'fish']))
    .action(async (shell) => exit(await (await import('./completion.ts')).completion(shell)))
  program
    .command('__complete', { hidden: true })
    .passThroughOptions()
    .argument('[words...]')
    .action(async (words) => exit(await (await import('./complete.ts')).complete(program, words)))

  for (const command of [program, principal].flatMap(({ commands }) => commands)) {
    // What finds the data folder by its name finds it by the file as well.
    if (command.options.some(({ long }) => long === '--data')) command.option(...CONFIG)
  }
  return program
}

/** A command that says by its options where it runs, and as whom. */
const inPlace = (program: Command, name: string): Command =>
  program
    .command(name)
    .option(...DATA)
    .option('--vnet <network>', 'inside this virtual network')
    .option('--resource-group <group>', 'where two networks have the same name')
    .option('--subnet <subnet>', 'in this subnet; the first one by default')
    .option('--internet', 'outside every network')
    .option('--as <principal>', 'with the credentials of this principal; the owner by default')
    .option('--root', 'stay root where sudo was used')
