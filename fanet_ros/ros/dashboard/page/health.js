// Diagnostics of the node: level, message and the most important values.

import { byId, make, setText } from './dom.js';

const LEVELS = [['OK', 'ok'], ['WARN', 'warn'], ['ERROR', 'error'], ['STALE', 'warn']];
const FACTS = ['model', 'engine', 'resolution [px]', 'resolution scale', 'device', /memory/, 'last resolution step'];

export function showHealth(diagnostics, problems) {
  const badge = byId('level');
  badge.hidden = !diagnostics;
  const [text, style] = LEVELS[diagnostics?.level] ?? ['', ''];
  setText(badge, text);
  badge.className = `badge ${style}`;
  const lines = [diagnostics ? diagnostics.message : 'No diagnostics', ...problems];
  setText(byId('message'), lines.join(' · '));
  const values = Object.entries(diagnostics?.values ?? {});
  const isFact = (key) => FACTS.some((fact) => (fact instanceof RegExp ? fact.test(key) : fact === key));
  fill(byId('facts'), values.filter(([key, value]) => isFact(key) && value),
    ([key, value]) => [make('dt', { textContent: key }), make('dd', { textContent: value })]);
  fill(byId('diagnostics'), values,
    ([key, value]) => [make('tr', {}, make('td', { textContent: key }), make('td', { textContent: value }))]);
}

function fill(box, entries, row) {
  const key = JSON.stringify(entries);
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...entries.flatMap(row));
}
