'use strict';
// What both pages share. Everything that a run has recorded reaches the document as text, never as markup.

const data = JSON.parse(document.getElementById('data').textContent);

// element('td', {class: 'time'}, 'text', child, ...)
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ''));
  return made;
}

// "15m30.060s", as all views write virtual time.
function timeText(ns) {
  const negative = ns < 0;
  const all = Math.floor(Math.abs(ns) / 1e6);
  const ms = String(all % 1000).padStart(3, '0');
  let seconds = Math.floor(all / 1000);
  const parts = [[Math.floor(seconds / 86400), 'd'], [Math.floor(seconds / 3600) % 24, 'h'], [Math.floor(seconds / 60) % 60, 'm']];
  seconds %= 60;
  let text = '';
  for (const [count, unit] of parts) {
    if (text || count) text += (text ? String(count).padStart(2, '0') : count) + unit;
  }
  return (negative ? '-' : '') + text + (text ? String(seconds).padStart(2, '0') : seconds) + '.' + ms + 's';
}

const UNITS = [[86400e9, 'd'], [3600e9, 'h'], [60e9, 'm'], [1e9, 's'], [1e6, 'ms'], [1e3, 'µs']];

// "3h", "4m59s", "30.2s": a duration in the one or two units that matter.
function shortText(ns) {
  let at = UNITS.findIndex(([size]) => ns >= size);
  if (at < 0) return '0s';
  if (at >= 3) return (Math.round(ns / UNITS[at][0] * 10) / 10) + UNITS[at][1];
  const rounded = Math.round(ns / UNITS[at + 1][0]) * UNITS[at + 1][0];
  at = UNITS.findIndex(([size]) => rounded >= size);
  const first = Math.floor(rounded / UNITS[at][0]);
  const second = Math.round((rounded - first * UNITS[at][0]) / UNITS[at + 1][0]);
  return first + UNITS[at][1] + (second ? second + UNITS[at + 1][1] : '');
}

// "2h30s": a moment to the second, for an axis.
function momentText(ns) {
  let rest = Math.floor(ns / 1e9) * 1e9;
  let text = '';
  for (const [size, unit] of UNITS.slice(0, 4)) {
    const count = Math.floor(rest / size);
    if (count) text += count + unit;
    rest -= count * size;
  }
  return text || '0';
}

function plural(count, noun) { return count + ' ' + noun + (count === 1 ? '' : 's'); }
