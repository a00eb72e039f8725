import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placeEnvironment } from './place-environment.ts'
import { bundleInPlace } from './trust-store.ts'

const environment = (inherited: Record<string, string | undefined>) =>
  placeEnvironment({
    caBundle: '/data/bundle.pem',
    home: '/data/clients/owner',
    credentials: { tenantId: 't', clientId: 'c', clientSecret: 's', subscriptionId: 'u' },
    inherited,
  })

test('drops what would lead a program out of its place, and keeps the rest', () => {
  const seen = environment({
    HTTPS_PROXY: 'http://proxy:3128',
    https_proxy: 'http://proxy:3128',
    No_Proxy: 'localhost',
    ALL_PROXY: 'socks5://proxy',
    AZURE_CLI_DISABLE_CONNECTION_VERIFICATION: '1',
    AZURE_CLIENT_SECRET: "the caller's own",
    DOCKER_HOST: 'unix:///run/user/1000/docker.sock',
    DOCKER_TLS_VERIFY: '1',
    SSH_AUTH_SOCK: '/tmp/agent',
    PATH: '/usr/bin',
    EMPTY: undefined,
  })
  const [bundle, home] = [bundleInPlace('/data/bundle.pem'), '/data/clients/owner']
  assert.deepEqual(seen, {
    SSH_AUTH_SOCK: '/tmp/agent',
    PATH: '/usr/bin',
    SSL_CERT_FILE: bundle,
    REQUESTS_CA_BUNDLE: bundle,
    CURL_CA_BUNDLE: bundle,
    NODE_EXTRA_CA_CERTS: bundle,
    GIT_SSL_CAINFO: bundle,
    AZURE_CONFIG_DIR: `${home}/azure`,
    DOCKER_CONFIG: `${home}/docker`,
    REGISTRY_AUTH_FILE: `${home}/containers/auth.json`,
    AZURE_TENANT_ID: 't',
    AZURE_CLIENT_ID: 'c',
    AZURE_CLIENT_SECRET: 's',
    AZURE_SUBSCRIPTION_ID: 'u',
    AZURE_CORE_COLLECT_TELEMETRY: 'no',
    AZURE_CORE_SURVEY_MESSAGE: 'no',
  })
})
