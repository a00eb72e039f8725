import { writeFile } from 'node:fs/promises'
import { argv, env } from 'node:process'
import { chromium, type Page } from 'playwright-core'

/** What a person saw in the browser. */
export interface Sight {
  /** The page that asked for the password. */
  readonly asked: string
  /** What it said of a wrong password. */
  readonly alert: string
  /** Where the browser ended, and what stood there. */
  readonly url: string
  readonly end: string
  /** What the pages' own policy kept from happening. */
  readonly violations: readonly string[]
}

/**
 * A person before a real browser: opens a page, enters a code where there is one, mistypes the password once, signs
 * in, and writes what was seen to `SEEN`. The browser trusts what the home in `BROWSER_HOME` trusts, no more.
 */
const [, , url = '', code] = argv

const shown = (page: Page) => page.locator('body').innerText()

async function signIn(page: Page): Promise<Sight> {
  const violations: string[] = []
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) violations.push(message.text())
  })
  await page.goto(url)
  if (code !== undefined) {
    await page.getByLabel('Code').fill(code)
    await page.getByRole('button', { name: 'Next' }).click()
  }
  const password = page.getByLabel('Password')
  await password.waitFor()
  const asked = await shown(page)
  await page.getByLabel('User name').fill(env.PERSON ?? '')
  await password.fill('not the password')
  await password.press('Enter')
  const alert = await page.getByRole('alert').innerText()
  await password.fill(env.PASSWORD ?? '')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page
    .getByText(/(completed|success|signed in|close this window)/i)
    .first()
    .waitFor()
  return { asked, alert, url: page.url(), end: await shown(page), violations }
}

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  // Its sandbox is not to be had for root, nor in a user namespace of one's own.
  chromiumSandbox: false,
  env: { ...env, HOME: env.BROWSER_HOME ?? '' },
})
const sight = await signIn(await browser.newPage()).catch((error: unknown) => String(error))
await browser.close()
await writeFile(env.SEEN ?? '', JSON.stringify(sight))
