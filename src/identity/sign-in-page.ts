import { BRAND, STYLE, SUBMIT } from './sign-in-style.ts'

export interface PageField {
  readonly name: string
  readonly label: string
  readonly type: 'text' | 'password'
  readonly autocomplete: string
  readonly value?: string
}

export interface PageForm {
  /** By default where the page came from. */
  readonly action?: string
  readonly fields: readonly PageField[]
  readonly hidden: Readonly<Record<string, string>>
  readonly button: string
  /** Sends the form with nothing filled in and `answer=cancel`. */
  readonly cancel?: string
  /** The browser sends it by itself, where it may. */
  readonly submits?: true
}

/** A page of the authority: nothing but text and one form. */
export function renderPage(page: {
  readonly title: string
  /** Where one goes from here, and as what it asks. */
  readonly lead?: string
  /** Shown large, to be compared with another screen. */
  readonly code?: string
  /** What went wrong, and in which field it is mended. */
  readonly alert?: { readonly text: string; readonly field?: string }
  readonly form?: PageForm
  readonly note?: string
}): string {
  const { title, lead, code, alert, form, note } = page
  const paragraph = (text: string | undefined, name = '') =>
    text === undefined ? '' : `<p${name && ` class="${name}"`}>${escapeHtml(text)}</p>`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${alert ? 'Error: ' : ''}${escapeHtml(title)} – Causeway</title><style>${STYLE}</style></head>
<body><main><div class="brand">${BRAND}Causeway</div>
<h1>${escapeHtml(title)}</h1>
${paragraph(lead)}
${paragraph(code, 'code')}
${alert ? renderAlert(alert) : ''}
${form ? renderForm(form, alert?.field) : ''}
${paragraph(note, 'soft')}</main>
<footer class="soft">Served by Causeway on your own machines, whatever name the address bar shows. Passwords of other accounts do not belong here.</footer>
${form?.submits ? `<script>${SUBMIT}</script>` : ''}</body></html>
`
}

function renderAlert({ text, field }: { readonly text: string; readonly field?: string }): string {
  const shown =
    field === undefined ? escapeHtml(text) : `<a href="#${field}">${escapeHtml(text)}</a>`
  return `<p role="alert" id="alert">${shown}</p>`
}

function renderForm(form: PageForm, wrong: string | undefined): string {
  const { action, fields, hidden, button, cancel } = form
  // The one that is to be filled in next.
  const focused = wrong ?? fields.find(({ value }) => !value)?.name
  const kept = Object.entries(hidden).map(
    ([name, value]) =>
      `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  )
  const shown = fields.map(({ name, label, type, autocomplete, value = '' }) =>
    [
      `<label for="${name}">${escapeHtml(label)}</label>`,
      `<input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" value="${escapeHtml(value)}"`,
      ' required spellcheck="false" autocapitalize="none"',
      name === focused ? ' autofocus' : '',
      name === wrong ? ' aria-invalid="true" aria-describedby="alert"' : '',
      '>',
    ].join(''),
  )
  return [
    `<form method="post"${action === undefined ? '' : ` action="${escapeHtml(action)}"`}>`,
    ...kept,
    ...shown,
    `<button>${escapeHtml(button)}</button>`,
    ...(cancel === undefined
      ? []
      : [`<button name="answer" value="cancel" formnovalidate>${escapeHtml(cancel)}</button>`]),
    '</form>',
  ].join('\n')
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? '')
