'use strict';
const ghosts = JSON.parse(document.getElementById('data').textContent);

const filter = document.getElementById('filter');
if (filter) {
  filter.closest('[hidden]').hidden = false;
  const parts = (word) => {
    const colon = word.includes('//') ? -1 : word.indexOf(':');
    return [word.slice(0, Math.max(colon, 0)), word.slice(colon + 1)];
  };
  // A version is what it is or what begins with it: 6 is 6.65.0, and neither 5.6.0 nor 60.0.0.
  const isFound = (known, word) => {
    const [[knownName, knownValue], [name, value]] = [known, word].map(parts);
    if (Boolean(name) !== Boolean(knownName) || !knownName.startsWith(name)) return false;
    const version = value.replace(/\.+$/, '');
    return /^\d[\d.]*$/.test(value) ? `${knownValue}.`.startsWith(`${version}.`) : knownValue.includes(value);
  };
  filter.addEventListener('input', () => {
    const typed = filter.value.toLowerCase().replace(/\b(node|knex-migrator|knex|mysql2?)\s+(?=\d)/g, '$1:');
    const ways = typed.split(',').map((way) => way.split(/\s+/).filter(Boolean)).filter((way) => way.length);
    let shown = 0;
    const all = document.querySelectorAll('.ghost');
    for (const ghost of all) {
      const words = ghost.dataset.words.toLowerCase().split(' ');
      const isShown = !ways.length
        || ways.some((way) => way.every((word) => words.some((known) => isFound(known, word))));
      ghost.hidden = !isShown;
      shown += isShown ? 1 : 0;
    }
    document.getElementById('shown').textContent = ways.length ? `${shown} of ${all.length}` : '';
  });
}

const [from, to] = ['from', 'to'].map((id) => document.getElementById(id));
if (from && to) {
  from.closest('[hidden]').hidden = false;
  for (const select of [from, to]) {
    for (let number = ghosts.length - 1; number >= 0; number -= 1) {
      select.add(new Option(ghosts[number].name, number));
    }
  }
  from.value = Math.max(0, ghosts.length - 2);
  to.value = ghosts.length - 1;
  const cell = (row, kind, text) => {
    row.appendChild(document.createElement(kind)).textContent = text;
  };
  const show = () => {
    const [before, after] = [from, to].map((select) => new Map(ghosts[select.value].facts));
    const names = [...new Set([...before.keys(), ...after.keys()])];
    const table = document.createElement('table');
    for (const name of names) {
      const [old, now] = [before, after].map((facts) => facts.get(name) ?? '-');
      if (old !== now) {
        const row = table.insertRow();
        cell(row, 'th', name);
        cell(row, 'td', old);
        cell(row, 'td', now);
      }
    }
    const changes = document.getElementById('changes');
    changes.textContent = table.rows.length ? '' : 'Nothing that matters here.';
    if (table.rows.length) changes.append(table);
  };
  from.addEventListener('change', show);
  to.addEventListener('change', show);
  show();
}

const reveal = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === 'DETAILS') target.open = true;
};
addEventListener('hashchange', reveal);
reveal();
