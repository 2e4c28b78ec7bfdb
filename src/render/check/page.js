'use strict';
const ghosts = JSON.parse(document.getElementById('data').textContent);

const filter = document.getElementById('filter');
if (filter) {
  filter.closest('[hidden]').hidden = false;
  filter.addEventListener('input', () => {
    const words = filter.value.toLowerCase().split(/[\s,]+/).filter(Boolean);
    for (const ghost of document.querySelectorAll('.ghost')) {
      const text = ghost.dataset.words.toLowerCase();
      ghost.hidden = words.length > 0 && !words.some((word) => text.includes(word));
    }
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
