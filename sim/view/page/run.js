// The page of one run, drawn from the object that `postproof show --as json` writes (docs/recording.md).

const NS = 'http://www.w3.org/2000/svg';
const GAP = 1e9;  // time without a word that is compressed, in ns
const FINEST = 0.25;  // how far active time may be squeezed to fit the window

function shape(name, attributes, ...children) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}
const hint = (text) => shape('title', {}, text);

const result = data.verdict ? data.verdict.result : 'unknown';
const connections = new Map(data.connections.map((one) => [one.id, one]));
const parts = [];  // of the navigation: [id, name, count]

// --- Head and failures ---

function head() {
  const facts = [
    element('span', {}, element('code', {}, data.scenario + (data.variant ? ' [' + data.variant + ']' : ''))),
    element('span', {}, 'seed ' + data.seed),
    element('span', {}, timeText(data.ended) + ' of virtual time'),
  ];
  if (data.verdict) facts.push(element('span', {}, plural(data.verdict.held, 'expectation') + ' held, ' + data.verdict.failed + ' failed'));
  if (data.end && data.end.reason !== 'done') facts.push(element('span', {class: 'what bad'}, 'ended by ' + data.end.reason));
  const copy = element('button', {type: 'button', onclick: () => {
    navigator.clipboard.writeText(data.replay).then(() => { copy.textContent = 'Copied'; }, () => {});
  }}, 'Copy');
  document.getElementById('top').append(
    element('div', {class: 'title'}, element('span', {class: 'badge ' + result}, result.toUpperCase()), element('h1', {}, data.title || data.scenario)),
    element('div', {class: 'facts'}, ...facts),
    element('div', {class: 'replay'}, element('code', {}, data.replay), copy));
}

function lineLink(line) { return line ? element('a', {href: '#L' + line}, 'line ' + line) : ''; }

function failures() {
  data.failures.forEach((failure, index) => {
    const card = element('section', {class: 'card failure', id: index === 0 ? 'failures' : null, 'aria-label': 'Failure'},
      element('h3', {}, lineLink(failure.line), failure.headline),
      element('dl', {}, element('dt', {}, 'wanted'), element('dd', {class: 'wanted'}, failure.wanted),
        element('dt', {}, 'nearest'), element('dd', {class: 'nearest'}, failure.nearest)));
    if (failure.events.length) {
      const body = element('tbody');
      if (failure.left_out) body.append(element('tr', {}, element('td', {class: 'time'}), element('td', {colspan: 3, class: 'soft'}, failure.left_out + ' more before these')));
      for (const event of failure.events) {
        body.append(element('tr', {}, element('td', {class: 'time'}, timeText(event.at)),
          element('td', {class: 'word'}, event.connection && connections.has(event.connection) ? dialogueLink(event.connection) : ''),
          element('td', {class: 'who'}, event.from + (event.to ? ' → ' + event.to : '')),
          element('td', {}, event.text + (event.lost ? '   (lost)' : ''))));
      }
      card.append(element('div', {class: 'wire scroll'}, element('table', {'aria-label': 'What crossed the wire around it'}, body)));
    }
    add(card);
  });
  if (data.failures.length) parts.push(['failures', 'Failures', data.failures.length]);
  if (data.end && data.end.pending) {
    add(element('section', {class: 'card'}, element('h2', {}, 'Still under way at the end (' + data.end.reason + ')'), element('pre', {class: 'scroll'}, data.end.pending)));
  }
}

function add(node) { document.getElementById('content').append(node); }

function section(id, name, count, ...children) {
  const tools = element('div', {class: 'tools'});
  const made = element('section', {class: 'card', id, 'aria-labelledby': id + '-name'},
    element('div', {class: 'head'}, element('h2', {id: id + '-name'}, name), count === null ? '' : element('span', {class: 'soft'}, String(count)), tools), ...children);
  parts.push([id, name, count]);
  add(made);
  return {section: made, tools};
}

function note(what, count) { return count ? element('p', {class: 'note'}, count + ' more ' + what + ' left out; the recording and the transcript have them.') : ''; }

function table(headings, rows) {
  return element('div', {class: 'scroll'}, element('table', {},
    element('thead', {}, element('tr', {}, ...headings.map((name) => element('th', {class: name === 'time' ? 'time' : null, scope: 'col'}, name)))),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row)))));
}
const timeCell = (at) => element('td', {class: 'time'}, timeText(at));
const cell = (...children) => element('td', {}, ...children);
const wordCell = (...children) => element('td', {class: 'word'}, ...children);

// --- The scale: virtual time to columns, idle time compressed ---

function makeScale(width) {
  const times = new Set([0, data.ended]);
  const mark = (at) => { if (at !== null && at !== undefined && at <= data.ended) times.add(at); };
  for (const one of data.connections) {
    if (one.dns) continue;
    [one.dial, one.established, one.end].forEach(mark);
    one.lines.forEach(([at]) => mark(at));
  }
  data.messages.forEach((one) => mark(one.at));
  data.faults.forEach((one) => { mark(one.at); mark(one.end); });
  data.dns.forEach((one) => mark(one.at));
  data.recipients.forEach((one) => { mark(one.accepted); one.entries.forEach((entry) => mark(entry.at)); });
  data.hosts.forEach((host) => host.down.forEach(([from, to]) => { mark(from); mark(to); }));
  const sorted = [...times].sort((a, b) => a - b);

  const steps = sorted.slice(1).map((at, i) => at - sorted[i]);
  const gaps = steps.filter((step) => step >= GAP).length;
  const size = (step) => 2 + 3 * Math.log10(1 + step / 1e6 * 3);
  const active = steps.reduce((sum, step) => sum + (step >= GAP ? 0 : size(step)), 0);
  const room = width - 40;
  const gapWidth = gaps ? Math.min(64, Math.max(14, (room - active * FINEST) / gaps)) : 0;
  const factor = active > 0 ? Math.min(6, Math.max(FINEST, (room - gaps * gapWidth) / active)) : 1;
  const columns = [16];
  const breaks = [];
  steps.forEach((step, i) => {
    const begin = columns[i];
    columns.push(begin + (step >= GAP ? gapWidth : size(step) * factor));
    if (step >= GAP) breaks.push({from: begin, to: columns[i + 1], passed: step});
  });
  const column = (at) => {
    let low = 0, high = sorted.length - 1;
    if (at >= sorted[high]) return columns[high];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (sorted[middle] <= at) low = middle; else high = middle;
    }
    return columns[low] + (columns[high] - columns[low]) * (at - sorted[low]) / Math.max(1, sorted[high] - sorted[low]);
  };
  const begins = [0].concat(sorted.filter((at, i) => i > 0 && steps[i - 1] >= GAP));
  return {column, breaks, begins, width: Math.max(width, columns[columns.length - 1] + 26)};
}

// --- The timeline ---

const AXIS = 40, BAR = 15, MARKS = 24, ROWS_MAX = 6, HOSTS_MAX = 40, RECIPIENTS_MAX = 40, RECIPIENT = 26;
const outcomeWords = {good: 'message taken', later: 'put off (4yz)', bad: 'refused (5yz)', refused: 'not connected', cut: 'cut', open: 'still open', plain: 'nothing handed over'};

function describe(one) {
  return '#' + one.id + '  ' + one.from + ' → ' + (one.to || one.address) + ', ' + timeText(one.dial) + ': ' + outcomeWords[one.outcome] + (one.telling ? ' – ' + one.telling : '');
}

// Puts each host's connections into rows so that none covers another.
function layOut(scale, hosts) {
  const lanes = new Map(hosts.map((host) => [host.name, {host, ends: []}]));
  const bars = [];
  for (const one of data.connections) {
    if (one.dns) continue;
    const from = scale.column(one.dial);
    const to = Math.max(scale.column(one.end === null ? data.ended : one.end), from + 7);
    const bar = {one, from, to, rows: new Map()};
    for (const name of new Set([one.from, one.outcome === 'refused' ? '' : one.to])) {
      const lane = lanes.get(name);
      if (!lane) continue;
      let row = lane.ends.findIndex((end) => end + 3 <= from);
      if (row < 0) row = lane.ends.length < ROWS_MAX ? lane.ends.length : ROWS_MAX - 1;
      lane.ends[row] = to;
      bar.rows.set(name, row);
    }
    bars.push(bar);
  }
  let top = AXIS;
  for (const lane of lanes.values()) {
    lane.top = top;
    lane.height = MARKS + Math.max(1, lane.ends.length) * (BAR + 3) + 8;
    top += lane.height;
  }
  return {lanes, bars, bottom: top};
}

const cross = (x, y, r) => shape('path', {class: 'cross', d: `M${x - r} ${y - r}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`});
function disc(kind, x, y, text) {
  const group = shape('g', {}, hint(text), shape('circle', {class: 'disc ' + kind, cx: x, cy: y, r: 6.5}));
  if (kind === 'delivered' || kind === 'kept') group.append(shape('path', {class: 'sign', d: `M${x - 3} ${y}l2.2 2.4l3.8 -4.6`}));
  if (kind === 'bounced' || kind === 'expired' || kind === 'refusedmessage') group.append(shape('path', {class: 'sign', d: `M${x - 2.5} ${y - 2.5}l5 5m0 -5l-5 5`}));
  if (kind === 'deferred') group.append(shape('path', {class: 'sign', d: `M${x} ${y - 3.4}v3.6l2.6 1.6`}));
  return group;
}

function drawAxis(svg, scale, bottom) {
  for (const gap of scale.breaks) {
    const middle = (gap.from + gap.to) / 2;
    const text = shortText(gap.passed);
    let zigzag = `M${middle} ${AXIS - 6}`;
    for (let y = AXIS - 6, side = 1; y < bottom; y += 7, side = -side) zigzag += `L${middle + 2.5 * side} ${y + 3.5}`;
    svg.append(shape('rect', {class: 'gap', x: gap.from + 2, y: AXIS - 20, width: Math.max(1, gap.to - gap.from - 4), height: bottom - AXIS + 20, rx: 3}, hint(text + ' without a word')),
      shape('path', {class: 'zigzag', d: zigzag}));
    if (gap.to - gap.from >= 2 + 6 * text.length) svg.append(shape('text', {x: middle, y: AXIS - 9, 'text-anchor': 'middle'}, text));
  }
  let free = 0;
  for (const at of scale.begins) {
    const x = scale.column(at);
    const text = momentText(at);
    svg.append(shape('line', {class: 'tick', x1: x, x2: x, y1: AXIS - 22, y2: bottom}));
    const half = 3.2 * text.length;
    if (x - half < free) continue;
    svg.append(shape('text', {x, y: AXIS - 26, 'text-anchor': 'middle'}, text));
    free = x + half + 8;
  }
}

function drawLane(svg, scale, lane, right) {
  const {host, top, height} = lane;
  const middle = top + MARKS - 8;
  svg.append(shape('line', {class: 'lane', x1: 0, x2: right, y1: top, y2: top}), shape('line', {class: 'life', x1: 8, x2: right - 8, y1: middle, y2: middle}));
  for (const [from, to, why] of host.down) {
    const begin = scale.column(from), end = to === null ? right - 8 : scale.column(to);
    svg.append(shape('g', {}, hint(host.name + ' is down from ' + timeText(from) + (to === null ? '' : ' to ' + timeText(to))),
      shape('line', {class: 'down', x1: begin, x2: end, y1: middle, y2: middle}), why === 'crash' ? cross(begin, middle, 5) : ''));
  }
  let free = 0;
  for (const fault of data.faults) {
    const on = fault.host === null ? host.role === 'dns' && fault.kind.startsWith('dns.') : fault.host === host.name;
    if (!on) continue;
    const text = fault.kind + ' ' + fault.where + ' ' + fault.detail + ', ' + timeText(fault.at) + (fault.line ? ', line ' + fault.line : '');
    const begin = scale.column(fault.at);
    if (fault.lasts) {
      const end = fault.end === null ? right - 8 : scale.column(fault.end);
      svg.append(shape('rect', {class: 'fault', x: begin, y: top + 2, width: Math.max(4, end - begin), height: height - 4}, hint(text)));
    } else {
      svg.append(shape('path', {class: 'strike', d: `M${begin - 5} ${top + 3}h10l-5 9z`}, hint(text)));
    }
    if (begin >= free) {
      svg.append(shape('text', {class: 'faultname', x: begin + 7, y: top + 12}, fault.kind));
      free = begin + 14 + 6.4 * fault.kind.length;
    }
  }
}

function drawConnection(svg, lanes, bar) {
  const {one, from, to} = bar;
  const group = shape('g', {class: 'connection ' + one.outcome, tabindex: 0, role: 'button', 'aria-label': 'Dialogue ' + describe(one),
    onclick: () => openDialogue(one.id),
    onkeydown: (event) => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); openDialogue(one.id); } }}, hint(describe(one)));
  const place = (name) => {
    const lane = lanes.get(name);
    return lane ? lane.top + MARKS + (bar.rows.get(name) || 0) * (BAR + 3) : null;
  };
  const a = place(one.from), b = place(one.to);
  if (a !== null && b !== null && one.from !== one.to) {
    const down = b > a;
    const begin = down ? a + BAR : a, end = down ? b : b + (one.outcome === 'refused' ? 0 : BAR);
    const x = from + 3;
    group.append(shape('path', {class: 'link', d: `M${x} ${begin}V${end}`}));
    if (one.outcome === 'refused') group.append(cross(x, down ? end + 2 : end + 8, 4.5));
    else group.append(shape('path', {class: 'head', d: down ? `M${x - 4} ${end - 6}h8l-4 6z` : `M${x - 4} ${end + 6}h8l-4 -6z`}));
  }
  for (const [name, y] of [[one.from, a], [one.to, b]]) {
    if (y === null || !bar.rows.has(name)) continue;
    group.append(shape('rect', {x: from, y, width: to - from, height: BAR}));
    const text = '#' + one.id;
    if (to - from >= 10 + 6 * text.length) group.append(shape('text', {x: from + 6, y: y + 11}, text));
  }
  svg.append(group);
}

function drawRecipient(svg, scale, one, y, right) {
  const begin = scale.column(one.accepted === null ? (one.entries.length ? one.entries[0].at : 0) : one.accepted);
  const end = one.ended === null ? right - 8 : scale.column(one.ended);
  svg.append(shape('line', {class: 'lane', x1: 0, x2: right, y1: y - RECIPIENT / 2, y2: y - RECIPIENT / 2}),
    shape('line', {class: 'wait' + (one.ended === null ? ' open' : ''), x1: begin, x2: end, y1: y, y2: y}));
  if (one.accepted !== null) svg.append(disc('accepted', begin, y, one.recipient + ' accepted, ' + timeText(one.accepted)));
  for (const entry of one.entries) {
    const x = scale.column(entry.at);
    if (entry.what === 'attempt') svg.append(shape('line', {class: 'attempt', x1: x, x2: x, y1: y - 9, y2: y + 9}, hint('attempt ' + entry.number + ', ' + timeText(entry.at))));
    else svg.append(disc(entry.what, x + 4, y, entry.what + ', ' + timeText(entry.at) + ': ' + entry.text));
  }
}

function draw(holder, width) {
  const scale = makeScale(width);
  const hosts = data.hosts.slice(0, HOSTS_MAX);
  const recipients = data.recipients.slice(0, RECIPIENTS_MAX);
  const {lanes, bars, bottom: laneBottom} = layOut(scale, hosts);
  const bottom = laneBottom + (recipients.length ? 34 + recipients.length * RECIPIENT : 0);
  const right = scale.width;
  const svg = shape('svg', {width: right, height: bottom + 4, role: 'group', 'aria-label': 'Hosts over virtual time'},
    shape('defs', {}, shape('pattern', {id: 'stripes', width: 7, height: 7, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)'},
      shape('rect', {width: 2, height: 7, fill: 'var(--bad-mark)', opacity: .38}))));
  drawAxis(svg, scale, bottom);
  for (const lane of lanes.values()) drawLane(svg, scale, lane, right);
  for (const ask of data.dns) {
    const from = lanes.get(ask.client), to = lanes.get(ask.server);
    if (!from || !to) continue;
    const x = scale.column(ask.at), y = to.top + MARKS - 8;
    svg.append(shape('g', {}, hint(timeText(ask.at) + '  ' + ask.name + ' ' + ask.type + ' ? ' + ask.answer),
      shape('line', {class: 'dnsask', x1: x, x2: x, y1: from.top + MARKS - 8, y2: y}), shape('circle', {class: 'dnsdot', cx: x, cy: y, r: 3.2})));
  }
  for (const bar of bars) drawConnection(svg, lanes, bar);
  for (const message of data.messages) {
    const lane = lanes.get(message.host);
    if (!lane || message.side !== 'peer') continue;
    svg.append(disc(message.good ? 'kept' : 'refusedmessage', scale.column(message.at), lane.top + MARKS - 8,
      message.host + (message.good ? ' keeps' : ' refuses') + ' the message from <' + message.sender + '> to ' + message.recipients.join(', ') + ', ' + timeText(message.at)));
  }
  recipients.forEach((one, i) => drawRecipient(svg, scale, one, laneBottom + 30 + i * RECIPIENT + RECIPIENT / 2, right));
  const flags = new Set(data.failures.filter((one) => one.events.length).map((one) => one.events[one.events.length - 1].at));
  for (const at of flags) {
    const x = scale.column(at);
    svg.append(shape('line', {class: 'flagline', x1: x, x2: x, y1: 12, y2: laneBottom}), shape('text', {class: 'flag', x: x + 3, y: 11}, '⚑'));
  }
  const names = element('div', {class: 'names'}, element('div', {style: `height:${AXIS}px`}),
    ...[...lanes.values()].map((lane) => element('div', {class: 'host', style: `height:${lane.height}px`, title: lane.host.name}, lane.host.name,
      element('small', {}, {client: 'client', mta: 'MTA under test', peer: 'peer', dns: 'resolver'}[lane.host.role]))));
  if (recipients.length) {
    names.append(element('div', {class: 'part', style: 'height:30px'}, 'recipients'));
    for (const one of recipients) names.append(element('div', {class: 'recipient', style: `height:${RECIPIENT}px`, title: one.recipient + ' of message ' + one.message}, one.recipient));
  }
  holder.replaceChildren(names, element('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Timeline, scrolls sideways'}, svg));
}

function timeline() {
  if (!data.hosts.length) return;
  const holder = element('div', {class: 'timeline'});
  const legend = element('div', {class: 'legend'});
  for (const [kind, text] of [['good', 'message taken'], ['later', 'put off (4yz)'], ['bad', 'refused (5yz), cut, not connected'], ['', 'nothing handed over'], ['fault', 'fault in force'], ['dns', 'question to the DNS'], ['gap', 'idle time, compressed']]) {
    legend.append(element('span', {}, element('i', {class: kind}), text));
  }
  const {section: card} = section('timeline', 'Timeline', null, holder, legend);
  if (data.hosts.length > HOSTS_MAX) card.append(note('hosts', data.hosts.length - HOSTS_MAX));
  if (data.recipients.length > RECIPIENTS_MAX) card.append(element('p', {class: 'note'}, (data.recipients.length - RECIPIENTS_MAX) + ' more recipients stand in the list below.'));
  // The names take what they need; the rest is the scale's.
  let room = 0;
  const redraw = () => {
    if (!room) draw(holder, 600);
    for (let i = 0; i < 2 && room !== holder.lastChild.clientWidth; ++i) draw(holder, room = Math.max(320, holder.lastChild.clientWidth));
  };
  redraw();
  addEventListener('resize', redraw);
}

// --- Recipients ---

function recipients() {
  if (!data.recipients.length) return;
  const {section: card} = section('recipients', 'Recipients', data.recipients.length);
  for (const one of data.recipients) {
    const words = {attempt: 'attempt', deferred: 'deferred', delivered: 'delivered', bounced: 'bounced', expired: 'expired'};
    const rows = one.entries.map((entry) => [timeCell(entry.at), wordCell(String(entry.number)), wordCell(element('span', {class: 'what ' + entry.what}, words[entry.what] || entry.what)),
      wordCell(entry.host), cell(entry.what === 'attempt' ? 'to ' + entry.text : (entry.stage ? entry.stage + ': ' : '') + entry.text), wordCell(entry.retry_in)]);
    card.append(element('details', {},
      element('summary', {}, element('strong', {}, one.recipient), element('span', {class: 'what ' + one.outcome}, one.outcome),
        element('span', {class: 'soft'}, plural(one.attempts, 'attempt') + (one.accepted !== null && one.ended !== null ? ' in ' + shortText(one.ended - one.accepted) : '')),
        element('span', {class: 'soft'}, 'from <' + one.sender + '>, message ' + one.message + ' of ' + one.host)),
      table(['time', 'attempt', 'what', 'host', 'why', 'again in'], rows), note('entries', one.left_out)));
  }
  card.append(note('recipients', data.left_out.recipients));
}

// --- Dialogues ---

function dialogueLink(id) {
  return element('a', {href: '#c' + id, onclick: (event) => { event.preventDefault(); openDialogue(id); }}, '#' + id);
}

function openDialogue(id) {
  const details = document.getElementById('c' + id);
  if (!details) return;
  details.hidden = false;
  details.open = true;
  details.scrollIntoView({block: 'start'});
  details.querySelector('summary').focus({preventScroll: true});
}

function replyClass(text) { return text.startsWith('4') ? 'later' : text.startsWith('5') ? 'bad' : text.startsWith('2') || text.startsWith('3') ? 'good' : ''; }

// Neighbouring lines of one side and moment are one bubble; faults of its hosts stand where they struck.
function talk(one) {
  const list = element('div', {class: 'talk'}, element('div', {class: 'ends'}, element('span', {}, one.from), element('span', {}, one.to || one.address)));
  const last = one.end === null ? data.ended : one.end;
  const faults = data.faults.filter((fault) => fault.host && (fault.host === one.from || fault.host === one.to) && fault.at >= one.dial && fault.at <= last);
  const said = (kind, at, ...words) => list.append(element('div', {class: 'said ' + kind}, element('time', {}, at === null ? '' : timeText(at)), ...words));
  const strike = (until) => {
    while (faults.length && faults[0].at <= until) {
      const fault = faults.shift();
      said('mark fault', fault.at, element('div', {class: 'words'}, '⚡ ' + fault.kind + ' ' + fault.where + ': ' + fault.detail + ' ', lineLink(fault.line)));
    }
  };
  said('mark', one.dial, element('div', {class: 'words'}, 'dials ' + one.address));
  let bubble = null;
  for (const [at, back, kind, text, flags] of one.lines) {
    strike(at);
    if (kind !== 'line' && kind !== 'content') {
      said('mark ' + kind, at, element('div', {class: 'words'}, (back ? one.to : one.from) + ' ' + text));
      bubble = null;
      continue;
    }
    const same = bubble && bubble.at === at && bubble.back === back && bubble.kind === kind && bubble.flags === flags && (!back || replyClass(text) === bubble.reply);
    if (same) {
      bubble.words.append('\n' + text);
      continue;
    }
    const reply = back && kind === 'line' ? replyClass(text) : '';
    const words = element('div', {class: 'words ' + kind + ' ' + reply + (flags & 1 ? ' lost' : '') + (flags & 2 ? ' hidden' : ''), title: flags & 2 ? 'TLS hid it on the wire' : null}, text);
    said(back ? 'back' : '', at, words);
    if (flags & 1) words.append(element('span', {class: 'lost'}, '   lost'));
    bubble = {at, back, kind, flags, words, reply};
  }
  strike(last);
  if (one.outcome === 'refused') said('mark reset', one.end, element('div', {class: 'words'}, 'not connected: ' + one.telling));
  if (one.left_out) list.append(note('lines', one.left_out));
  return list;
}

function dialogues() {
  if (!data.connections.length) return;
  const {section: card, tools} = section('dialogues', 'Dialogues', data.connections.length);
  const all = [];
  for (const one of data.connections) {
    const summary = element('summary', {}, element('span', {class: 'time'}, timeText(one.dial)), element('span', {class: 'number'}, '#' + one.id),
      element('span', {}, one.from + ' → ' + (one.to || 'nobody')), element('span', {class: 'soft mono'}, one.address),
      element('span', {class: 'chip ' + one.outcome}, outcomeWords[one.outcome]), one.tls ? element('span', {class: 'chip ' + (one.tls === 'failed' ? 'bad' : 'tls')}, one.tls === 'failed' ? 'TLS failed' : one.tls) : '',
      one.dns ? element('span', {class: 'chip'}, 'DNS') : '', element('span', {class: 'telling'}, one.telling));
    const details = element('details', {id: 'c' + one.id, ontoggle: () => {
      if (details.open && !details.querySelector('.talk')) details.append(talk(one));
    }}, summary);
    card.append(details);
    all.push({one, details, text: (describe(one) + ' ' + one.lines.map((line) => line[3]).join('\n')).toLowerCase()});
  }
  card.append(note('connections', data.left_out.connections));
  const find = element('input', {type: 'search', placeholder: 'Find in dialogues', 'aria-label': 'Find in dialogues'});
  const trouble = element('input', {type: 'checkbox'});
  const filter = () => {
    const wanted = find.value.toLowerCase();
    for (const {one, details, text} of all) details.hidden = !text.includes(wanted) || (trouble.checked && one.outcome === 'good');
  };
  find.addEventListener('input', filter);
  trouble.addEventListener('change', filter);
  const toggle = element('button', {type: 'button', onclick: () => {
    const open = toggle.textContent === 'Open all';
    for (const {details} of all) if (!details.hidden) details.open = open;
    toggle.textContent = open ? 'Close all' : 'Open all';
  }}, 'Open all');
  tools.append(find, element('label', {}, trouble, ' only trouble'), toggle);
}

// --- Tables ---

function tables() {
  if (data.messages.length) {
    section('messages', 'Messages', data.messages.length, table(['time', 'host', '', 'from', 'to', 'octets', 'reply'], data.messages.map((one) => [timeCell(one.at), wordCell(one.host),
      wordCell(element('span', {class: 'what ' + (one.good ? 'good' : 'bad')}, one.side === 'peer' ? (one.good ? 'kept' : 'refused') : one.good ? 'handed over' : 'not handed over')),
      wordCell('<' + one.sender + '>'), cell(one.recipients.join(', ') || 'nobody'), wordCell(String(one.octets)), cell(element('span', {class: 'mono'}, one.reply || 'no reply'))])),
      note('messages', data.left_out.messages));
  }
  if (data.dns.length) {
    section('dns', 'Questions to the DNS', data.dns.length, table(['time', 'who', 'name', 'type', 'answer'], data.dns.map((one) => [timeCell(one.at), wordCell(one.client + ' → ' + one.server), cell(one.name), wordCell(one.type),
      cell(element('span', {class: one.answer.startsWith('noerror') ? '' : one.answer.startsWith('n') ? 'what later' : 'what bad'}, one.answer), one.transport === 'tcp' ? ' (TCP)' : '')])),
      note('questions', data.left_out.dns));
  }
  if (data.tls.length) {
    section('tls', 'Decisions of TLS', data.tls.length, table(['time', 'connection', 'who', 'what', 'version', 'for', 'certificate', 'why'], data.tls.map((one) => [timeCell(one.at), wordCell(dialogueLink(one.connection)), wordCell(one.node),
      wordCell(element('span', {class: 'what ' + (one.state === 'failed' || one.state === 'truncated' ? 'bad' : one.state === 'established' ? 'good' : '')}, one.state)), cell((one.version + ' ' + one.cipher).trim()), cell(one.server_name),
      cell(element('span', {class: one.verified === 'ok' ? 'what good' : one.verified ? 'what bad' : ''}, one.verified || 'not asked for')), cell(one.detail)])),
      note('decisions', data.left_out.tls));
  }
  if (data.faults.length) {
    section('faults', 'Faults', data.faults.length, table(['time', 'until', 'fault', 'where', 'what', 'scenario'], data.faults.map((one) => [timeCell(one.at), element('td', {class: 'time'}, one.lasts ? (one.end === null ? 'the end' : timeText(one.end)) : ''),
      wordCell(element('span', {class: 'what bad'}, one.kind)), cell(one.where), cell(one.lasts ? 'in force' : one.detail), wordCell(lineLink(one.line))])), note('faults', data.left_out.faults));
  }
  if (data.scripts.length) {
    section('scripts', 'Dialogues that were not followed', data.scripts.length, table(['time', 'who', 'scenario', 'wanted', 'got'], data.scripts.map((one) => [timeCell(one.at), wordCell(one.node), wordCell(lineLink(one.line)), cell(one.wanted), cell(one.got)])));
  }
  if (data.queue.length) {
    section('queue', 'In the queue', data.queue.length, table(['time', 'MTA', 'message', 'recipient', 'status', 'attempts', 'due'], data.queue.map((one) => [timeCell(one.at), wordCell(one.node), wordCell(one.message), cell(one.recipient), wordCell(one.status), wordCell(String(one.attempts)),
      wordCell(one.due === null ? '' : timeText(one.due))])), note('recipients', data.left_out.queue));
  }
}

// --- The scenario ---

function source() {
  if (!data.source.length) return;
  const failing = new Set(data.failures.map((one) => one.line));
  const striking = new Set(data.faults.map((one) => one.line));
  const lines = element('div', {class: 'source', tabindex: 0, role: 'region', 'aria-label': 'Scenario'});
  data.source.forEach((text, i) => {
    const number = i + 1;
    const kind = /^\s*#/.test(text) ? 'comment' : /^\s*\[/.test(text) ? 'table' : '';
    lines.append(element('div', {id: 'L' + number, class: failing.has(number) ? 'failing' : striking.has(number) ? 'striking' : null}, element('span', {}, String(number)), element('span', {class: kind}, text)));
  });
  section('source', 'Scenario', data.scenario, lines, note('lines', data.left_out.source));
}

function navigation() {
  const list = element('ul', {}, ...parts.map(([id, name, count]) => element('li', {}, element('a', {href: '#' + id}, name), typeof count === 'number' ? element('span', {class: 'count'}, String(count)) : '')));
  document.getElementById('content').prepend(element('nav', {class: 'parts', 'aria-label': 'Parts of this page'}, list));
}

head();
failures();
timeline();
recipients();
dialogues();
tables();
source();
navigation();
document.documentElement.dataset.drawn = 'yes';
if (/^#c\d+$/.test(location.hash)) openDialogue(Number(location.hash.slice(2)));
else if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
