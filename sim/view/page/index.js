// The page of a suite's report: a row for each run, failures first.

const ORDER = {invalid: 0, failed: 1, passed: 2};
const WORDS = {html: 'page', txt: 'text', jsonl: 'recording', pcap: 'pcap', keys: 'keys', 'failed.txt': 'failure'};
const ROWS_MAX = 2000;  // at once; the filter finds the others
let sorted = 'result', falling = false, rows = [];

function head() {
  const {passed, failed, invalid} = data.scenarios;
  const good = failed === 0 && invalid === 0;
  document.getElementById('top').append(
    element('div', {class: 'title'}, element('span', {class: 'badge ' + (good ? 'passed' : 'failed')}, good ? 'PASSED' : 'FAILED'),
      element('h1', {}, passed + ' passed, ' + failed + ' failed' + (invalid ? ', ' + invalid + ' invalid' : ''))),
    element('div', {class: 'facts'}, element('span', {}, plural(passed + failed + invalid, 'scenario')), element('span', {}, plural(data.runs.filter((run) => run.result !== 'invalid').length, 'run')),
      element('span', {}, shortText(data.runs.reduce((sum, run) => sum + run.virtual, 0)) + ' of virtual time')),
    element('div', {class: 'share', 'aria-hidden': 'true'}, ...['failed', 'invalid', 'passed'].map((kind) => element('div', {class: kind, style: 'flex:' + data.scenarios[kind]}))));
}

function link(run, kind, text) {
  const path = run.base.split('/').map(encodeURIComponent).join('/');
  return element('a', {href: path + '.' + kind}, text);
}

function row(run) {
  const name = run.files.includes('html') ? link(run, 'html', run.path) : element('span', {}, run.path);
  return element('tr', {}, element('td', {}, element('span', {class: 'badge ' + run.result}, run.result.toUpperCase())),
    element('td', {class: 'name'}, name, run.variant ? element('span', {class: 'variant'}, ' [' + run.variant + ']') : '', element('div', {class: 'title'}, run.title),
      run.failure ? element('pre', {}, run.failure) : ''),
    element('td', {class: 'time'}, run.result === 'invalid' ? '' : timeText(run.virtual)),
    element('td', {class: 'links'}, ...run.files.map((kind) => link(run, kind, WORDS[kind]))));
}

function draw() {
  const find = document.getElementById('find').value.toLowerCase(), wanted = document.getElementById('result').value;
  const key = {result: (run) => ORDER[run.result], name: (run) => run.path, virtual: (run) => run.virtual}[sorted];
  const chosen = rows.filter((run) => (!wanted || run.result === wanted) && run.text.includes(find));
  chosen.sort((a, b) => {
    const x = key(a), y = key(b);
    return (x < y ? -1 : x > y ? 1 : 0) * (falling ? -1 : 1) || a.number - b.number;
  });
  document.getElementById('rows').replaceChildren(...chosen.slice(0, ROWS_MAX).map(row));
  document.getElementById('shown').textContent = chosen.length > ROWS_MAX ? ROWS_MAX + ' of ' + plural(chosen.length, 'run') + ' shown' : plural(chosen.length, 'run');
  for (const head of document.querySelectorAll('th[data-key]')) head.setAttribute('aria-sort', head.dataset.key !== sorted ? 'none' : falling ? 'descending' : 'ascending');
}

function column(key, name, kind) {
  return element('th', {scope: 'col', 'data-key': key, class: kind || null}, element('button', {type: 'button', onclick: () => {
    falling = sorted === key ? !falling : false;
    sorted = key;
    draw();
  }}, name));
}

rows = data.runs.map((run, number) => ({...run, number, text: (run.path + ' ' + run.variant + ' ' + run.title + ' ' + run.failure).toLowerCase()}));
head();
document.getElementById('content').append(element('section', {class: 'card', 'aria-label': 'Runs'},
  element('div', {class: 'tools'}, element('input', {id: 'find', type: 'search', placeholder: 'Find a run', 'aria-label': 'Find a run', oninput: draw}),
    element('label', {}, 'Show ', element('select', {id: 'result', onchange: draw}, element('option', {value: ''}, 'all'), ...Object.keys(ORDER).reverse().map((kind) => element('option', {value: kind}, kind)))),
    element('span', {class: 'shown', id: 'shown', 'aria-live': 'polite'})),
  element('div', {class: 'scroll'}, element('table', {}, element('thead', {}, element('tr', {}, column('result', 'result'), column('name', 'scenario'), column('virtual', 'virtual time', 'time'), element('th', {scope: 'col'}, 'files'))),
    element('tbody', {id: 'rows'})))));
draw();
document.documentElement.dataset.drawn = 'yes';
