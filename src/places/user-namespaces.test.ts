import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainRefusal } from './user-namespaces.ts'

const REFUSED = 'unshare: write failed /proc/self/uid_map: Operation not permitted'

const explain = (files: Readonly<Record<string, string>>, complaint = REFUSED) =>
  explainRefusal(complaint, (file) => files[file])

test("Ubuntu's AppArmor switch is recognised, and its cure named", () => {
  const { cause, cure } = explain({
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n',
    '/proc/sys/user/max_user_namespaces': '63000\n',
  })
  assert.match(cause, /^AppArmor .*\(kernel\.apparmor_restrict_unprivileged_userns is 1\)\.$/)
  assert.match(cure, /sysctl -w kernel\.apparmor_restrict_unprivileged_userns=0/)
})

test('a kernel that forbids user namespaces is recognised', () => {
  const { cause, cure } = explain({ '/proc/sys/kernel/unprivileged_userns_clone': '0\n' })
  assert.match(cause, /kernel\.unprivileged_userns_clone is 0/)
  assert.match(cure, /sysctl -w kernel\.unprivileged_userns_clone=1/)
})

test('a machine that allows none is recognised', () => {
  const { cause } = explain({ '/proc/sys/user/max_user_namespaces': '0\n' })
  assert.match(cause, /user\.max_user_namespaces is 0/)
})

test('switches that allow are not blamed', () => {
  const { cause } = explain({
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '0\n',
    '/proc/sys/kernel/unprivileged_userns_clone': '1\n',
    '/proc/sys/user/max_user_namespaces': '63000\n',
    '/proc/self/status': 'Name:\tnode\nSeccomp:\t0\n',
  })
  assert.match(cause, /uid_map: Operation not permitted/)
})

test('a container is recognised, whose filter only its starter can lift', () => {
  const docker = explain({ '/.dockerenv': '', '/proc/self/status': 'Seccomp:\t2\n' })
  assert.match(docker.cause, /^This container/)
  assert.match(docker.cure, /--security-opt seccomp=unconfined/)
  assert.match(explain({ '/run/.containerenv': '' }).cause, /^This container/)
})

test('a system call filter outside of containers is recognised', () => {
  assert.match(explain({ '/proc/self/status': 'Seccomp:\t2\n' }).cause, /seccomp/)
})

test('a missing program is named', () => {
  const { cause, cure } = explain({}, 'unshare --user: spawn unshare ENOENT')
  assert.match(cause, /unshare ENOENT/)
  assert.match(cure, /util-linux/)
})
