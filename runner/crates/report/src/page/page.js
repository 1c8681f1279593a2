"use strict";
// The logs: search and filters. Text of a test reaches the page as text nodes only.
(() => {
  const data = document.getElementById("lines");
  const form = document.querySelector(".filter");
  const list = document.querySelector(".log");
  if (!data || !form || !list) return;
  const { machines, units, lines } = JSON.parse(data.textContent);
  // More rows than that make a browser slow, and nobody reads them.
  const MOST = 2000;
  const SOURCES = ["console", "journal"];
  const PRIORITIES = [
    ["", "any priority"],
    ["3", "errors and worse"],
    ["4", "warnings and worse"],
    ["5", "notices and worse"],
    ["6", "all but debug"],
  ];

  const fill = (select, any, values) => {
    const entries = [["", any], ...values.map((value, index) => [String(index), value])];
    for (const [value, text] of entries) select.add(new Option(text, value));
    // One choice is none.
    select.hidden = values.length < 2;
  };
  fill(form.elements.machine, "all machines", machines);
  fill(form.elements.source, "console and journal", SOURCES);
  const byName = units.map((name, index) => [name, String(index)]).sort();
  form.elements.unit.add(new Option("all units", ""));
  for (const [name, index] of byName) form.elements.unit.add(new Option(name, index));
  form.elements.unit.hidden = units.length === 0;
  for (const [value, text] of PRIORITIES) form.elements.priority.add(new Option(text, value));
  form.elements.priority.hidden = !lines.some((line) => line[4] !== null);
  form.elements.source.hidden = new Set(lines.map((line) => line[2])).size < 2;

  const element = (name, text, title) => {
    const made = document.createElement(name);
    made.textContent = text;
    if (title) made.title = title;
    return made;
  };

  const marked = (text, words) => {
    const span = document.createElement("span");
    if (!words) {
      span.textContent = text;
      return span;
    }
    const low = text.toLowerCase();
    let from = 0;
    for (let at = low.indexOf(words); at >= 0; at = low.indexOf(words, from)) {
      span.append(text.slice(from, at), element("mark", text.slice(at, at + words.length)));
      from = at + words.length;
    }
    span.append(text.slice(from));
    return span;
  };

  const row = ([time, machine, source, unit, priority, text, file], words) => {
    const div = document.createElement("div");
    if (priority !== null) {
      div.className = priority <= 3 ? "worst" : priority === 4 ? "warn" : priority === 7 ? "debug" : "";
    }
    const from = units[unit] ? `${SOURCES[source]}, ${units[unit]}` : SOURCES[source];
    const span = marked(text, words);
    if (file) {
      const link = element("a", "the whole file");
      link.href = file;
      span.append(" ", link);
    }
    div.append(element("time", time.toFixed(2)), element("b", machines[machine], from), span);
    return div;
  };

  const show = () => {
    const value = (name) => form.elements[name].value;
    const is = (chosen, index) => chosen === "" || String(index) === chosen;
    const words = value("text").toLowerCase();
    const [machine, source, unit, priority] = ["machine", "source", "unit", "priority"].map(value);
    const found = lines.filter(
      (line) =>
        is(machine, line[1]) &&
        is(source, line[2]) &&
        is(unit, line[3]) &&
        (priority === "" || (line[4] !== null && line[4] <= Number(priority))) &&
        (!words || line[5].toLowerCase().includes(words)),
    );
    const shown = found.slice(-MOST);
    list.replaceChildren(...shown.map((line) => row(line, words)));
    form.querySelector("output").textContent =
      found.length > MOST
        ? `the last ${MOST} of ${found.length} lines`
        : `${found.length} of ${lines.length} lines`;
    list.scrollTop = words ? 0 : list.scrollHeight;
  };

  form.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
})();

// A link to a step opens what it lies in.
(() => {
  const open = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let around = target; around; around = around.parentElement) {
      if (around.localName === "details") around.open = true;
    }
    const own = target.querySelector("details");
    if (own) own.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
})();
