// Lifecycle and recording buttons, and the state badges.

import { byId, make, notify, request, setText } from './dom.js';

const BY_STATE = {
  unconfigured: [['configure', 'Configure']],
  inactive: [['activate', 'Activate'], ['cleanup', 'Clean up']],
  active: [['deactivate', 'Deactivate']],
};

export function showState(status) {
  const badge = byId('state');
  setText(badge, status.present ? status.state || 'running' : 'absent');
  badge.className = `badge ${{ active: 'ok' }[status.state] ?? 'warn'}`;
  setText(byId('node'), status.node);
  document.title = `${status.node} · ${badge.textContent}`;
  byId('hint').hidden = !status.hint;
  setText(byId('hint'), status.hint);
  byId('readonly').hidden = status.allow_changes;
  showLifecycle(status);
  showRecording(status);
}

let shownButtons = '';

function showLifecycle({ present, state, allow_changes }) {
  const wanted = `${present} ${state} ${allow_changes}`;
  if (wanted === shownButtons) return;
  shownButtons = wanted;
  byId('lifecycle').replaceChildren(...(present ? BY_STATE[state] ?? [] : []).map(([transition, text]) => {
    const button = make('button', { textContent: text, disabled: !allow_changes, 'data-transition': transition });
    button.addEventListener('click', () => whileWaiting(button, async () => {
      const answer = await request('/api/lifecycle', { transition });
      notify(`The node is ${answer.state}.`);
    }));
    return button;
  }));
}

function showRecording({ recording, allow_changes, present }) {
  const button = byId('record');
  button.disabled = button.dataset.waits === 'yes' || !allow_changes || !(present || recording.is_recording);
  button.classList.toggle('on', recording.is_recording);
  setText(button, recording.is_recording ? 'Stop recording' : 'Record a bag');
  const seconds = Math.round(recording.length_s);
  const length = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min, ${recording.megabytes} MB`;
  setText(byId('recording'), !recording.bag ? '' : recording.is_recording ? `${length} in ${recording.bag}` : `${length}: ${recording.outcome || recording.bag}`);
}

export function wireRecording() {
  const button = byId('record');
  button.addEventListener('click', () => whileWaiting(button, async () => {
    const action = button.classList.contains('on') ? 'stop' : 'start';
    const answer = await request('/api/record', { action });
    notify(answer.is_recording ? `Recording into ${answer.bag}` : answer.outcome);
  }));
}

async function whileWaiting(button, act) {
  button.dataset.waits = 'yes';
  button.disabled = true;
  try {
    await act();
  } catch (error) {
    notify(error.message, true);
  }
  button.dataset.waits = '';
  button.disabled = false;
}
