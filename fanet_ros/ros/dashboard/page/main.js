// The page: queries the dashboard and passes each part of the answer to the module that shows it.

import { Chart } from './chart.js';
import { showState, wireRecording } from './controls.js';
import { byId, make, setText } from './dom.js';
import { Figures } from './figures.js';
import { showHealth } from './health.js';
import { Legend } from './legend.js';
import { Parameters } from './parameters.js';
import { Picture } from './picture.js';
import { Probe } from './probe.js';
import { Resolution } from './resolution.js';
import { Stream } from './stream.js';
import { Timing } from './timing.js';

const picture = new Picture(byId('picture'));
const legend = new Legend(byId('legend'), () => picture.setColors(legend.colors()));
const probe = new Probe(picture, legend, byId('probe'));
const timing = new Timing();
const chart = new Chart(byId('chart'));
const figures = new Figures();
const parameters = new Parameters((values) => {
  budget_ms = values.latency_budget_ms ?? 0;
  resolution.set(values);
});
const resolution = new Resolution(parameters, timing);
let budget_ms = 0;
let status = null;
let have = { camera: '', frame: -1, timing: -1, status: -1 };
let drawnAt = 0;

const stream = new Stream({
  query: () => {
    const layers = picture.layers();
    if (probe.isOn && !layers.includes('confidence')) layers.push('confidence');
    return { ...have, layers };
  },
  answered: async (content, blobs) => {
    if (content.status) showStatus(content.status);
    have.status = content.status_version;
    if (parameters.isMissing && status?.present) parameters.load();
    if (content.camera !== have.camera) return;       // answer to a query for the previous camera
    have.timing = content.timing;
    timing.add(content.rows);
    if (content.frame && blobs.mask) {
      have.frame = content.frame.sequence;
      await picture.show(content.frame, blobs);
      timing.shown(content.frame.stamp_ms, stream.clock.now());
      legend.showShares(picture.shares);
      probe.show();
      byId('empty').hidden = true;
    } else if (content.frame) {
      have.frame = content.frame.sequence;
    }
    if (performance.now() - drawnAt > 180) showTiming();
  },
  connected: (isConnected, why) => {
    const dot = byId('live');
    dot.className = isConnected ? 'dot on' : 'dot';
    dot.title = isConnected ? 'live' : 'not connected';
    if (isConnected) {
      have = { ...have, frame: -1, timing: -1, status: -1 };
      timing.clear();
    } else if (status) {
      byId('hint').hidden = false;
      setText(byId('hint'), `The dashboard does not answer${why ? ` (${why})` : ''}: retrying. Is it still running?`);
    }
  },
});

function camera() {
  return status?.cameras.find((item) => item.name === have.camera);
}

function showStatus(content) {
  const before = status;
  status = content;
  const names = content.cameras.map((item) => item.name);
  if (!names.includes(have.camera)) choose(names[0] ?? '');
  showState(content);
  showCameras(names);
  parameters.canChange = content.allow_changes;
  if (before?.parameters_version !== content.parameters_version || before?.present !== content.present) parameters.load();
  const current = camera();
  if (current?.class_map) legend.set(current.class_map);
  showHealth(current?.diagnostics, current?.problems ?? []);
  const values = current?.diagnostics?.values;
  setText(byId('model'), values?.model ? `${values.model} · ${values.engine ?? ''}` : '');
  if (byId('empty').hidden === false) {
    setText(byId('empty'), content.hint || current?.diagnostics?.message || 'Waiting for the first image');
  }
}

function choose(name) {
  have = { ...have, camera: name, frame: -1, timing: -1 };
  timing.clear();
  picture.clear();
  byId('empty').hidden = false;
}

function showCameras(names) {
  const box = byId('cameras');
  box.hidden = names.length < 2;
  box.replaceChildren(...names.map((name) => {
    const button = make('button', { textContent: name, 'aria-pressed': String(name === have.camera) });
    button.addEventListener('click', () => {
      choose(name);
      showStatus(status);
    });
    return button;
  }));
}

function showTiming() {
  drawnAt = performance.now();
  chart.draw(timing.rows, budget_ms);
  figures.show(timing, stream.clock.now(), camera()?.diagnostics);
  resolution.refresh();
}

function show(view) {
  picture.view = view;
  document.querySelector('.blend').hidden = view !== 'blend';
  for (const button of byId('views').children) button.setAttribute('aria-pressed', String(button.dataset.view === view));
  picture.draw();
}

byId('views').addEventListener('click', (event) => event.target.dataset.view && show(event.target.dataset.view));
byId('alpha').addEventListener('input', (event) => {
  picture.alpha = event.target.value / 100;
  picture.draw();
});
byId('snapshot').addEventListener('click', () => picture.canvas.toBlob((blob) => {
  const link = make('a', { href: URL.createObjectURL(blob), download: `fanet_${new Date().toISOString().replace(/[:.]/g, '-')}.png` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}));
wireRecording();
new ResizeObserver(() => { picture.draw(); showTiming(); }).observe(document.body);

// For benchmark_dashboard and tests: the frame on screen and its latency.
window.fanet_ros = { picture, timing, legend, stream };
