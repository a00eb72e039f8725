import { createHash } from 'node:crypto'

/** The look of the authority's pages, light and dark, down to 320 px; colours of text have a contrast of 4.5 at least. */
export const STYLE = `:root{color-scheme:light dark;--ground:#eef3f4;--card:#fff;--text:#17262b;--soft:#51646b;--line:#76898f;
--accent:#0b6472;--on-accent:#fff;--bad:#a4262c;--bad-ground:#fdf0f0;font:1rem/1.5 system-ui,sans-serif}
@media (prefers-color-scheme:dark){:root{--ground:#0e1719;--card:#172326;--text:#e6eef0;--soft:#a3b5ba;--line:#7c9198;
--accent:#5fc7d6;--on-accent:#06252b;--bad:#ff9c9f;--bad-ground:#371b1e}}
*{box-sizing:border-box}
body{display:flex;flex-direction:column;align-items:center;min-height:100vh;margin:0;padding:clamp(1rem,8vh,6rem) 1rem 1rem;
background:var(--ground);color:var(--text)}
main{width:100%;max-width:26rem;padding:clamp(1.25rem,6vw,2.5rem);background:var(--card);border:1px solid transparent;
border-radius:.75rem;box-shadow:0 1px 2px #0002,0 8px 24px #0001;overflow-wrap:break-word}
.brand{display:flex;align-items:center;gap:.6rem;color:var(--accent);font-weight:600}
.brand svg{width:2.25rem;height:1.5rem}
h1{margin:1.25rem 0 0;font-size:1.5rem;line-height:1.25}
p{margin:.5rem 0 0}
.soft{color:var(--soft);font-size:.875rem}
.code{font:600 1.25rem/1.5 ui-monospace,monospace;letter-spacing:.12em}
[role=alert]{margin-top:1.25rem;padding:.75rem 1rem;border-left:.25rem solid var(--bad);background:var(--bad-ground)}
[role=alert] a{color:inherit}
label{display:block;margin:1.25rem 0 .35rem;font-weight:600}
input{width:100%;padding:.65rem .75rem;border:1px solid var(--line);border-radius:.375rem;background:var(--card);color:inherit;font:inherit}
input[aria-invalid]{border-color:var(--bad)}
input[name=code]{text-transform:uppercase;letter-spacing:.12em}
button{width:100%;margin-top:1.5rem;padding:.7rem;border:1px solid var(--accent);border-radius:.375rem;background:var(--accent);
color:var(--on-accent);font:inherit;font-weight:600;cursor:pointer}
button[value=cancel]{margin-top:.75rem;background:none;color:var(--accent)}
button:hover{filter:brightness(1.08)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
main>.soft{margin-top:1.5rem;padding-top:1rem;border-top:1px solid color-mix(in srgb,var(--line) 40%,transparent)}
footer{max-width:26rem;margin-top:1.25rem;text-align:center}`

/** Three arches over water, in the colour of the text around them. */
export const BRAND =
  '<svg viewBox="0 0 36 24" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" aria-hidden="true"><path d="M2 5h32M4 16v-3a4.5 4.5 0 0 1 9 0v3M13.5 16v-3a4.5 4.5 0 0 1 9 0v3M23 16v-3a4.5 4.5 0 0 1 9 0v3M2 21h32"/></svg>'

/** Sends the only form of a page that a person need not look at. */
export const SUBMIT = 'document.forms[0].submit()'

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64')
const STYLE_SOURCE = `'sha256-${hashOf(STYLE)}'`
const SCRIPT_SOURCE = `'sha256-${hashOf(SUBMIT)}'`

/**
 * What keeps a page from being framed, scripted, or made to send elsewhere.
 *
 * @param page.target where its form may lead, besides where the page came from
 * @param page.submits whether it is a page that sends itself
 */
export const pageHeaders = (
  page: { readonly target?: string; readonly submits?: true } = {},
): Readonly<Record<string, string>> => ({
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    `style-src ${STYLE_SOURCE}`,
    ...(page.submits ? [`script-src ${SCRIPT_SOURCE}`] : []),
    `form-action 'self'${page.target === undefined ? '' : ` ${page.target}`}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; '),
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
})
