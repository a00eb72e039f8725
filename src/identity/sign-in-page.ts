import { createHash } from 'node:crypto'

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{display:grid;place-items:center;min-height:100vh;margin:0;background:Canvas;color:CanvasText}
main{width:min(22rem,90vw)}h1{font-size:1.4rem}
label{display:block;margin:1rem 0 .25rem}
input,button{box-sizing:border-box;width:100%;padding:.6rem;font:inherit}
button{margin-top:1.5rem}[role=alert]{border-left:.25rem solid #c4314b;padding-left:.75rem}`

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

export interface PageField {
  readonly name: string
  readonly label: string
  readonly type: 'text' | 'password'
  readonly autocomplete: string
  readonly value?: string
}

/** A page of the authority: nothing but text and one form, which goes where it came from. */
export function renderPage(page: {
  readonly title: string
  readonly alert?: string
  readonly text?: string
  readonly form?: { readonly fields: readonly PageField[]; readonly hidden: Record<string, string> }
}): string {
  const { title, alert, text, form } = page
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>
${alert === undefined ? '' : `<p role="alert">${escapeHtml(alert)}</p>`}
${text === undefined ? '' : `<p>${escapeHtml(text)}</p>`}
${form ? renderForm(form.fields, form.hidden) : ''}</main></body></html>
`
}

/** What keeps a page from being framed, scripted, or made to send elsewhere. @param target where a form may lead on to */
export const pageHeaders = (target?: string): Readonly<Record<string, string>> => ({
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'${target === undefined ? '' : ` ${target}`}; frame-ancestors 'none'; base-uri 'none'`,
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
})

function renderForm(fields: readonly PageField[], hidden: Record<string, string>): string {
  return `<form method="post">
${Object.entries(hidden)
  .map(
    ([name, value]) =>
      `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  )
  .join('\n')}
${fields
  .map(
    ({ name, label, type, autocomplete, value = '' }) =>
      `<label for="${name}">${escapeHtml(label)}</label><input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" value="${escapeHtml(value)}" required>`,
  )
  .join('\n')}
<button>Sign in</button></form>`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? '')
