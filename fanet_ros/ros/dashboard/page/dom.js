// Helpers for elements, notices, requests and number formatting.

export const byId = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('aria-') || name.startsWith('data-') || name === 'for' || name === 'list') element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

// Writes only changes, so that selections and screen readers are not disturbed.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function notify(text, isError = false) {
  const box = byId('notices');
  const line = make('p', { textContent: text, className: isError ? 'error' : '' });
  box.append(line);
  while (box.children.length > 4) box.firstChild.remove();
  setTimeout(() => line.remove(), isError ? 12000 : 5000);
}

// Sends a GET, or with `body` a POST; returns the JSON answer, throws an Error with the reason.
export async function request(path, body) {
  const options = body === undefined ? {} : {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error('the dashboard does not answer');
  }
  const text = await response.text();
  let content = null;
  try { content = JSON.parse(text); } catch { /* plain text */ }
  if (!response.ok) throw new Error(content?.error || text.trim() || response.statusText);
  return content;
}

export function number(value, digits = 0) {
  return value === null || value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits);
}

export function milliseconds(value) {
  return number(value, value !== null && value < 9.95 ? 1 : 0);
}
