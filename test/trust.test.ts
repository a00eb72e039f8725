import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Causeway, commandOf, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { failed, run, succeeded } from './support/run.ts'

const BUNDLE = '/etc/ssl/certs/ca-certificates.crt'

// Copies of all that the tools of Debian change, seen by this script alone.
const IN_A_COPY = `
  cp -a /etc/ssl "$copy/ssl"
  cp -a /usr/local/share/ca-certificates "$copy/anchors"
  mount --bind "$copy/ssl" /etc/ssl
  mount --bind "$copy/anchors" /usr/local/share/ca-certificates
  # What the tool itself has left to do is none of ours.
  update-ca-certificates >/dev/null
  cp -a "$copy" "$copy.before"
  reach() { curl --silent --output /dev/null --noproxy '*' "$METADATA"; }
`

describe('causeway trust', {
  ...needs('root', 'ip', 'curl', 'openssl', 'trust store'),
  timeout: 180_000,
}, () => {
  let causeway: Causeway
  let folder: string
  let machineBefore: string

  before(async () => {
    machineBefore = await readFile(BUNDLE, 'utf8')
    folder = await mkdtemp(join(tmpdir(), 'causeway-trust-'))
    causeway = await startCauseway()
  })
  after(async () => {
    await causeway?.remove()
    await rm(folder, { recursive: true, force: true })
    assert.equal(await readFile(BUNDLE, 'utf8'), machineBefore, "the machine's own was changed")
  })

  /** Runs a script with a copy of the trust store; `causeway` is the program. */
  const inACopy = async (script: string, input?: string) => {
    const { urls, authorities } = await causeway.status()
    const copy = await mkdtemp(join(folder, 'copy-'))
    const { CURL_CA_BUNDLE: _, SSL_CERT_FILE: __, ...inherited } = process.env
    const [program] = commandOf(undefined)
    const environment = {
      ...inherited,
      copy: join(copy, 'copy'),
      METADATA: urls.metadata,
      HOST_CA: authorities.host,
      PLACE_CA: authorities.place,
      CAUSEWAY_DATA: causeway.dataFolder,
    }
    const text = `mkdir "$copy"\n${IN_A_COPY}\ncauseway() { '${program}' "$@"; }\n${script}`
    const options = { environment, ...(input !== undefined && { input }) }
    return run('unshare', ['--mount', 'sh', '-euc', text], options)
  }

  test('lets every program trust the certificates of localhost, and takes that back whole', async () => {
    const finished = await inACopy(`
      ! reach
      causeway trust --yes
      reach
      ! openssl verify -CApath /etc/ssl/certs "$PLACE_CA" >/dev/null 2>&1
      ! test -d /etc/ssl/certs/java || grep -q causeway -r /etc/ssl/certs/java
      causeway doctor | grep '✓ trust .*the machine trusts'
      causeway trust --yes
      causeway trust --remove
      ! reach
      # The store of Java is rewritten with other times; it is of interest who is in it.
      diff -r --no-dereference --exclude java "$copy.before" "$copy"
      ! grep -r causeway "$copy"
      causeway trust --remove
      causeway doctor | grep '✓ trust .*does not trust'
    `)
    const printed = succeeded(finished)
    assert.match(printed, /^subject +CN=Causeway on this host/m)
    assert.match(printed, /^SHA-256 +([0-9A-F]{2}:){31}[0-9A-F]{2}$/m)
    assert.match(printed, /^signs only +localhost, 127\.0\.0\.1\/32$/m)
    assert.match(printed, /This machine trusts it already\./)
    assert.match(printed, /was not told to trust/)
  })

  test('asks at a terminal, and changes nothing where the answer is not yes', async () => {
    const ask = (answer: string) =>
      inACopy(
        `code=0; script --quiet --return --command '${commandOf(undefined)[0]} trust' /dev/null || code=$?
        diff -r --no-dereference "$copy.before" "$copy" >/dev/null && echo unchanged
        exit $code`,
        `${answer}\n`,
      )
    const declined = await ask('n')
    assert.equal(declined.code, 1)
    assert.match(declined.stdout, /trust it\? \[y\/N\][\s\S]*Nothing was changed[\s\S]*unchanged/)
    const agreed = succeeded(await ask('y'))
    assert.match(agreed, /Trusted, by /)
    assert.doesNotMatch(agreed, /unchanged/)
  })

  test('1: without a terminal and without --yes', async () => {
    const refused = await inACopy(`
      code=0; causeway trust </dev/null || code=$?
      diff -r --no-dereference "$copy.before" "$copy"
      exit $code`)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /--yes says that it is meant/)
  })

  test('1: somebody else than root, who is told the whole command', async () => {
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--']
    const data = await mkdtemp(join(tmpdir(), 'causeway-trust-'))
    succeeded(await run('cp', ['-a', `${causeway.dataFolder}/authorities`, `${data}/authorities`]))
    succeeded(await run('chown', ['-R', '65534:65534', data]))
    const args = [...nobody, commandOf(undefined)[0], 'trust', '--yes', '--data', data]
    const refused = await run('setpriv', args)
    await rm(data, { recursive: true })
    assert.match(failed(refused), new RegExp(`sudo causeway trust --data ${data}`))
  })

  test('1: the authority of places, put where that of the host should be', async () => {
    const data = await mkdtemp(join(folder, 'mixed-'))
    const from = `${causeway.dataFolder}/authorities`
    succeeded(await run('cp', ['-a', from, `${data}/authorities`]))
    succeeded(await run('cp', [`${from}/place-ca.pem`, `${data}/authorities/host-ca.pem`]))
    const refused = await inACopy(`causeway trust --yes --data '${data}'`)
    assert.match(failed(refused), /authority of places/)
  })

  // In layers over folders that are not this machine's to change.
  const WITHOUT_THE_TOOL = `
    layers=$copy.layers
    mkdir "$layers"
    mount -t tmpfs tmpfs "$layers"
    for name in etc usr/sbin; do
      mkdir -p "$layers/$name/upper" "$layers/$name/work"
      mount -t overlay -o "lowerdir=/$name,upperdir=$layers/$name/upper,workdir=$layers/$name/work" overlay "/$name"
    done
    rm /usr/sbin/update-ca-certificates
  `

  test('uses the tool of Fedora where that is the one', async () => {
    // It does what the real one does with an anchor: puts it into the bundle that programs read.
    const finished = await inACopy(`
      ${WITHOUT_THE_TOOL}
      mkdir -p /etc/pki/ca-trust/source/anchors /etc/pki/ca-trust/extracted/pem
      cat >/usr/sbin/update-ca-trust <<'END'
#!/bin/sh -e
test "$1" = extract
cd /etc/pki/ca-trust
cat source/anchors/* >extracted/pem/tls-ca-bundle.pem 2>/dev/null || :
END
      chmod 755 /usr/sbin/update-ca-trust
      causeway trust --yes
      cmp /etc/pki/ca-trust/source/anchors/causeway-*.pem "$HOST_CA"
      causeway doctor | grep '✓ trust .*the machine trusts'
      causeway trust --remove
      ls /etc/pki/ca-trust/source/anchors | wc -l`)
    assert.match(succeeded(finished), /^0$/m)
  })

  test('1: a machine with other tools is told the file', async () => {
    const refused = await inACopy(`${WITHOUT_THE_TOOL}\n causeway trust --yes`)
    assert.match(
      failed(refused),
      /neither update-ca-certificates nor update-ca-trust .*host-ca\.pem/,
    )
  })
})
