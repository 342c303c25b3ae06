// Shows the data of this page. Values come from the server and from manifests: they reach the page
// as text alone (textContent), never as markup, addresses or styles.
"use strict";

const SIGNS = { remove: "−", set: "~", add: "+" };
const WORDS = { remove: "removed", set: "changed", add: "added" };
const ROW = 60; // height of a row, as in the style
const MARGIN = 8; // rows drawn above and below those in sight
const PATHS_SHOWN = 8;
const FIRST_LINES = 2000; // lines of a comparison drawn at once
const LONG = 300_000; // characters of lines whose words are not compared
const LINE = 120; // characters of a value in the list
const AROUND = 3; // unchanged lines around changed ones
const EFFORT = 400; // insertions and deletions that a comparison looks for
const WIDTH = 120; // columns of a list or an object on one line

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);

// Elements

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

function makeButton(text, act, className) {
  const button = make("button", className, text);
  button.type = "button";
  button.addEventListener("click", act);
  return button;
}

const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

// Values as text. Invisible characters and those that change the direction of text are written out.

const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]|(?! )\p{Zs}/gu;
const JOINER = /^[\u200c\u200d]$/;
const JOINED = /[\p{L}\p{M}\p{Extended_Pictographic}]/u;

function isNeededJoiner(text, place, character) {
  const around = [text[place - 1], text[place + 1]];
  return JOINER.test(character) && around.every((one) => one && one > "\u05ff" && (JOINED.test(one) || /[\ud800-\udfff\ufe0f]/.test(one)));
}

function escapeCharacter(character) {
  const short = { "\t": "\\t", "\n": "\\n", "\r": "\\r" }[character];
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return short ?? units.map((unit) => "\\u" + unit.toString(16).padStart(4, "0")).join("");
}

function appendText(parent, text, isStrict = false) {
  let from = 0;
  for (const found of text.matchAll(HIDDEN)) {
    if (!isStrict && isNeededJoiner(text, found.index, found[0])) continue;
    parent.append(text.slice(from, found.index), make("span", "esc", escapeCharacter(found[0])));
    from = found.index + found[0].length;
  }
  parent.append(text.slice(from));
  return parent;
}

const value = (className, text) => appendText(make("bdi", className), text);

// A side of a change is a string, [JSON text], {part, start, end, length, json}, 0 (absent) or 1 (unreadable).

const isNothing = (side) => side === 0 || side === 1;
const getText = (side) =>
  side === 0 ? "(absent)" : side === 1 ? "(unreadable)" : typeof side === "string" ? side : Array.isArray(side) ? side[0] : side.part;
const isString = (side) => typeof side === "string" || (side.part !== undefined && !side.json);

function describeType(side) {
  if (isNothing(side)) return side ? "unreadable" : "absent";
  const text = getText(side);
  const length = side.length ?? text.length;
  if (isString(side)) return side === "" ? "empty text" : `text, ${count(length, "character")}`;
  return { "{": "object", "[": "list", t: "true or false", f: "true or false", n: "null" }[text[0]] ?? "number";
}

function writeBrief(side) {
  if (isNothing(side)) return getText(side);
  return isString(side) ? `"${getText(side)}"` : getText(side);
}

// JSON text as lines: what fits on a line stays on one, and numbers stay as they are written.

function layOut(text) {
  const tokens = text.match(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  const closing = new Map(), begun = [], ends = [0];
  tokens.forEach((token, i) => {
    ends.push(ends[i] + token.length + (token === "," || token === ":" ? 1 : 0));
    if (token === "{" || token === "[") begun.push(i);
    if (token === "}" || token === "]") closing.set(begun.pop(), i);
  });
  const spaced = (token) => (token === "," || token === ":" ? token + " " : token);
  const lines = [];
  let line = "", depth = 0;
  const end = () => { lines.push(line); line = "  ".repeat(Math.min(depth, 20)); };
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i], close = closing.get(i);
    if (close !== undefined && (close === i + 1 || ends[close + 1] - ends[i] <= WIDTH)) {
      while (i < close) line += spaced(tokens[i++]);
      line += tokens[close];
    } else if (close !== undefined) { line += token; depth++; end(); }
    else if (token === "}" || token === "]") { depth--; end(); line += token; }
    else if (token === ",") { line += token; end(); }
    else line += spaced(token);
  }
  lines.push(line);
  return lines;
}

const splitLines = (side) => (isNothing(side) ? [] : isString(side) || side.part !== undefined ? getText(side).split("\n") : layOut(getText(side)));

// Differences: Myers' algorithm on what lies between the common ends. What takes too many steps
// counts as replaced. Returns the runs [start of one, its end, start of other, its end] that differ.

function findDifferences(one, other) {
  const [start, end] = countCommonEnds(one, other);
  const m = one.length - end - start, n = other.length - end - start;
  if (!m && !n) return [];
  const whole = [[start, start + m, start, start + n]];
  if (!m || !n) return whole;
  const limit = Math.min(m + n, EFFORT), size = 2 * limit + 3, origin = limit + 1;
  let reach = new Int32Array(size);
  const trace = [];
  for (let d = 0; d <= limit; d++) {
    trace.push(reach.slice());
    for (let k = -d; k <= d; k += 2) {
      const isDown = k === -d || (k !== d && reach[origin + k - 1] < reach[origin + k + 1]);
      let x = isDown ? reach[origin + k + 1] : reach[origin + k - 1] + 1, y = x - k;
      while (x < m && y < n && one[start + x] === other[start + y]) { x++; y++; }
      reach[origin + k] = x;
      if (x >= m && y >= n) return walkBack(trace, m, n, start, origin);
    }
  }
  return whole;
}

function walkBack(trace, x, y, start, origin) {
  const runs = [];
  for (let d = trace.length - 1; d > 0; d--) {
    const reach = trace[d], k = x - y;
    const isDown = k === -d || (k !== d && reach[origin + k - 1] < reach[origin + k + 1]);
    const pastK = isDown ? k + 1 : k - 1, pastX = reach[origin + pastK], pastY = pastX - pastK;
    const run = [start + pastX, start + (isDown ? pastX : pastX + 1), start + pastY, start + (isDown ? pastY + 1 : pastY)];
    const next = runs[0];
    if (next && next[0] === run[1] && next[2] === run[3]) { next[0] = run[0]; next[2] = run[2]; }
    else runs.unshift(run);
    x = pastX; y = pastY;
  }
  return runs;
}

const splitWords = (text) => text.match(/[\p{L}\p{M}\p{N}_]+|\s+|[^\p{L}\p{M}\p{N}_\s]/gu) ?? [];

/** The words of two texts, with those marked that differ; null if hardly any word is the same. */
function markWords(before, after) {
  if (before.length + after.length > LONG) return markMiddle(before, after);
  const words = [splitWords(before), splitWords(after)];
  const runs = [];
  for (const run of findDifferences(...words)) {
    const last = runs.at(-1);
    const between = last && words[0].slice(last[1], run[0]).join("");
    if (last && !/[\p{L}\p{N}]/u.test(between) && between.length <= 2) { last[1] = run[1]; last[3] = run[3]; }
    else runs.push(run);
  }
  const differing = runs.reduce((sum, run) => sum + Math.max(run[1] - run[0], run[3] - run[2]), 0);
  if (differing > 0.8 * Math.max(words[0].length, words[1].length) && words[0].length > 3) return null;
  return [0, 2].map((side) => {
    const own = words[side / 2], parts = [];
    let from = 0;
    for (const run of runs) {
      parts.push([false, own.slice(from, run[side]).join("")], [true, own.slice(run[side], run[side + 1]).join("")]);
      from = run[side + 1];
    }
    return [...parts, [false, own.slice(from).join("")]];
  });
}

/** Very long texts, with all marked between what both have in common at their ends. */
function markMiddle(before, after) {
  const [start, end] = countCommonEnds(before, after);
  return [before, after].map((text) => [[false, text.slice(0, start)], [true, text.slice(start, text.length - end)], [false, text.slice(text.length - end)]]);
}

/** Count what two texts, or two lists, have in common at the start and at the end. */
function countCommonEnds(before, after) {
  const most = Math.min(before.length, after.length);
  let start = 0, end = 0;
  while (start < most && before[start] === after[start]) start++;
  while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  return [start, end];
}

function appendMarked(parent, parts) {
  for (const [isMarked, text] of parts) {
    if (!text) continue;
    if (isMarked) parent.append(appendText(make("mark"), text, true));
    else appendText(parent, text);
  }
  return parent;
}

/** Name the characters at the first difference if one of them may look like another; else "". */
function nameLookAlikes(before, after) {
  const [start, end] = countCommonEnds(before, after);
  if (start >= before.length - end || start >= after.length - end) return "";
  const [old, now] = [before, after].map((text) => text.codePointAt(start));
  if (old < 0x80 && now < 0x80) return "";
  const name = (point) => `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
  return `First difference: ${name(old)} became ${name(now)}.`;
}

// The selected change: both sides, line by line.

function compareSides(before, after) {
  const table = make("div", "compare", make("div", "head left", `Before · ${describeType(before)}`), make("div", "head", `After · ${describeType(after)}`));
  const sides = [splitLines(before), splitLines(after)];
  const lines = listLines(...sides);
  appendLines(table, lines.slice(0, FIRST_LINES));
  if (lines.length > FIRST_LINES) {
    const more = makeButton(`Show ${count(lines.length - FIRST_LINES, "more line")}`, () => { more.remove(); appendLines(table, lines.slice(FIRST_LINES)); });
    table.append(more);
  }
  return table;
}

/** Lines of a comparison: [left, right], where an undefined side has no line; equal ones are one string. */
function listLines(before, after) {
  const lines = [];
  let from = 0;
  const runs = findDifferences(before, after);
  for (const [b0, b1, a0, a1] of [...runs, [before.length, before.length, after.length, after.length]]) {
    lines.push(...fold(before.slice(from, b0), lines.length > 0, b0 < before.length || a0 < after.length));
    for (let i = 0; i < Math.max(b1 - b0, a1 - a0); i++) lines.push([b0 + i < b1 ? before[b0 + i] : undefined, a0 + i < a1 ? after[a0 + i] : undefined]);
    from = b1;
  }
  return lines;
}

/** Fold unchanged lines, except those around changed ones. */
function fold(same, hasAbove, hasBelow) {
  const above = hasAbove ? AROUND : 0, below = hasBelow ? AROUND : 0;
  if (same.length <= above + below + 2) return same;
  const bottom = same.length - below;
  return [...same.slice(0, above), { folded: same.slice(above, bottom) }, ...same.slice(bottom)];
}

function appendLines(table, lines) { table.append(...lines.flatMap(makeLine)); }

function makeLine(line, place, lines) {
  if (line.folded) {
    const button = makeButton(`${count(line.folded.length, "unchanged line")}`, () => button.replaceWith(...line.folded.flatMap(makeLine)));
    return [button];
  }
  if (typeof line === "string") return ["left", "right"].map((side) => appendText(make("div", `same ${side}`), line));
  const [old, now] = line;
  const words = old !== undefined && now !== undefined ? markWords(old, now) : null;
  const cell = (text, className, parts) =>
    text === undefined ? make("div", `gap ${className}`) : parts ? appendMarked(make("div", className), parts) : appendText(make("div", className), text);
  const first = place > 0 && typeof lines[place - 1] === "string" ? " first" : "";
  return [cell(old, `left${old === undefined ? "" : " old" + first}`, words?.[0]), cell(now, now === undefined ? "" : "new", words?.[1])];
}

// Rows of the list

const rows = data.rows;
const total = rows.task.length;
const groupOf = (row) => data.groups[rows.group[row]];
const taskOf = (row) => data.tasks[rows.task[row]];
const pathOf = (row) => { const group = groupOf(row); return group ? data.paths[group.path] : ""; };
const placeOf = (row) => (rows.file[row] < 0 ? "" : `${data.files[rows.file[row]]}${rows.line[row] ? `:${rows.line[row]}:${rows.column[row]}` : ""}`);
const statusOf = (row) => data.statuses[taskOf(row)[2]];
const nameOf = (task) => (task[0] === null ? task[1] : `task ${task[0]}${task[1] ? ` (${task[1]})` : ""}`);
const problemsOf = (row) => taskOf(row)[4].map((place) => data.problems[place]);

let shown = Uint32Array.from({ length: total }, (_, i) => i);
let selected = -1; // its place among those shown

function makeSides(row) {
  const before = writeBrief(rows.before[row]), after = writeBrief(rows.after[row]);
  const sign = groupOf(row).sign;
  if (sign === "add") return make("div", "sides", makeSide(after, 0, 0, "new"));
  if (sign === "remove") return make("div", "sides", makeSide(before, 0, 0, "old"));
  const [start, end] = isNothing(rows.before[row]) ? [0, 0] : countCommonEnds(before, after);
  return make("div", "sides", makeSide(before, start, end, "old"), make("span", "arrow", "→"), makeSide(after, start, end, "new"));
}

/** A side on one line, with a mark between what both sides have in common. */
function makeSide(text, start, end, className) {
  const holder = make("bdi", `value ${className}`), stop = text.length - end;
  const from = start > 24 && text.length > 40 ? start - 12 : 0;
  appendText(holder, (from ? "…" : "") + text.slice(from, start));
  if (!start && !end) return appendText(holder, text.slice(0, LINE));
  if (start < stop) holder.append(appendText(make("mark"), text.slice(start, Math.min(stop, start + LINE)), true));
  return appendText(holder, text.slice(stop, stop + LINE));
}

function makeRow(place) {
  const row = shown[place], task = taskOf(row), group = groupOf(row), status = statusOf(row), problems = problemsOf(row);
  const sign = group ? make("span", `mono sign ${group.sign}`, SIGNS[group.sign]) : make("span", "mono sign remove", "!");
  const isPlain = status.tone === "change" || status.tone === "good" || data.noun === "problem";
  const chip = isPlain ? (group && problems.length ? make("span", "chip warn", "warning") : null) : make("span", `chip ${status.tone}`, status.label);
  const name = group ? value("name", pathOf(row)) : value("name", nameOf(task));
  const top = make("div", "", sign, name, chip, group ? value("task", nameOf(task)) : value("task", placeOf(row)));
  const bottom = group ? makeSides(row) : make("div", "", value("message", problems.map((one) => one.message).join("; ").slice(0, 300)));
  const element = make("div", "row", top, bottom);
  element.setAttribute("role", "option");
  element.id = `row-${place}`;
  element.setAttribute("aria-selected", String(place === selected));
  element.setAttribute("aria-setsize", String(shown.length));
  element.setAttribute("aria-posinset", String(place + 1));
  element.style.top = `${place * ROW}px`;
  element.addEventListener("click", () => { select(place); $("every").classList.add("is-open"); });
  return element;
}

const list = $("rows"), spacer = list.firstElementChild;
let isDrawing = false;

function draw() {
  isDrawing = false;
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - MARGIN);
  const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + MARGIN);
  const elements = [];
  for (let place = first; place < last; place++) elements.push(makeRow(place));
  spacer.replaceChildren(...elements);
  if (selected >= first && selected < last) list.setAttribute("aria-activedescendant", `row-${selected}`);
  else list.removeAttribute("aria-activedescendant");
}

function drawSoon() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(draw);
}

function select(place) {
  if (!shown.length) return;
  selected = Math.max(0, Math.min(place, shown.length - 1));
  const top = selected * ROW;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
  draw();
  showPanel(shown[selected]);
}

function describeCut(side) {
  if (side.part === undefined) return "";
  return `characters ${(side.start + 1).toLocaleString("en")} to ${side.end.toLocaleString("en")} of ${side.length.toLocaleString("en")}`;
}

function makeProblem(problem) {
  const lead = `${problem.kind}${problem.by ? `, allowed by ${problem.by}` : ""}`;
  return make("div", `problem ${problem.tone}`, make("p", "", value("", problem.message)),
    problem.hint ? make("p", "note", value("", problem.hint)) : null, lead ? make("p", "note", value("", lead)) : null);
}

function showPanel(row) {
  const panel = $("panel"), group = groupOf(row), task = taskOf(row), status = statusOf(row);
  const rule = group && group.rule >= 0 ? `rule ${data.rules[group.rule]}` : "";
  const meta = make("div", "meta", make("span", `chip ${status.tone}`, status.label), group ? value("", nameOf(task)) : null,
    task[3] === null ? null : `project ${task[3]}`, value("mono", placeOf(row)), rule ? value("", rule) : null);
  const parts = [makeButton("Close", closePanel, "close"), make("h3", "", value("", group ? pathOf(row) : nameOf(task))), meta, ...problemsOf(row).map(makeProblem)];
  if (group) {
    parts.push(compareSides(rows.before[row], rows.after[row]));
    const sides = [rows.before[row], rows.after[row]];
    const alike = sides.some(isNothing) ? "" : nameLookAlikes(...sides.map(getText));
    if (alike) parts.push(make("p", "note", alike));
    const cut = ["before", "after"].filter((side) => rows[side][row].part !== undefined).map((side) => `${side}: ${describeCut(rows[side][row])}`);
    if (cut.length) parts.push(make("p", "note", `This page has only a part of these values (${cut.join("; ")}). The JSON format has all.`));
  }
  const same = countOfTask[rows.task[row]];
  if (same > 1) parts.push(make("p", "siblings", makeButton(`Show all ${same.toLocaleString("en")} changes of this task`, () => search(`task:${task[0]}`))));
  panel.replaceChildren(...parts);
  panel.scrollTop = 0;
}

function closePanel() {
  $("every").classList.remove("is-open");
  list.focus();
}

const countOfTask = new Uint32Array(data.tasks.length);
rows.task.forEach((task) => countOfTask[task]++);

// Search and filters

const haystacks = new Array(total);
function getHaystack(row) {
  return (haystacks[row] ??= [nameOf(taskOf(row)), pathOf(row), getText(rows.before[row]), getText(rows.after[row]), placeOf(row),
    ...problemsOf(row).flatMap((one) => [one.kind, one.message])].join("\n").toLowerCase());
}

/** Prepare the search while nothing else happens. */
function prepareSearch(row = 0) {
  const stop = performance.now() + 8;
  while (row < total && performance.now() < stop) getHaystack(row++);
  if (row < total) setTimeout(prepareSearch, 0, row);
}

const nameProblem = ({ kind, label }) => (label ? `${kind}: ${label}` : kind);
const FILTERS = {
  status: { names: data.statuses.map((one) => one.label), of: (row) => taskOf(row)[2] },
  path: { names: data.paths, of: (row) => groupOf(row)?.path ?? -1 },
  group: { names: data.groups.map((group) => describeGroup(group)), of: (row) => rows.group[row] },
  rule: { names: data.rules, of: (row) => groupOf(row)?.rule ?? -1 },
  file: { names: data.files, of: (row) => rows.file[row] },
  problem: { names: [...new Set(data.problems.map(nameProblem))], of: null },
};
const OPTIONS_MAX = 500;

function describeGroup(group) {
  const what = group.parts?.map((part) => part[1]).join("") ?? WORDS[group.sign];
  return `${SIGNS[group.sign]} ${data.paths[group.path]} ${what}`;
}

const kinds = data.problems.map((problem) => FILTERS.problem.names.indexOf(nameProblem(problem)));
const kindsOf = (row) => taskOf(row)[4].map((place) => kinds[place]);

function countOptions(name) {
  const filter = FILTERS[name], counts = new Uint32Array(filter.names.length);
  for (let row = 0; row < total; row++) {
    if (filter.of) { const place = filter.of(row); if (place >= 0) counts[place]++; }
    else for (const place of new Set(kindsOf(row))) counts[place]++;
  }
  return counts;
}

function fillFilters() {
  for (const name of Object.keys(FILTERS)) {
    const element = $(`filter-${name}`), counts = countOptions(name);
    const used = [...counts.keys()].filter((place) => counts[place]).sort((a, b) => counts[b] - counts[a]).slice(0, OPTIONS_MAX);
    element.append(new Option("All", ""));
    for (const place of used) {
      const text = FILTERS[name].names[place].replace(HIDDEN, escapeCharacter);
      element.append(new Option(`${text.length > 70 ? text.slice(0, 69) + "…" : text} (${counts[place].toLocaleString("en")})`, String(place)));
    }
    const isUseful = used.length > 1 || (used.length === 1 && counts[used[0]] < total);
    element.parentElement.hidden = !isUseful;
    element.addEventListener("change", applyFilters);
  }
}

function applyFilters() {
  const chosen = Object.keys(FILTERS).map((name) => [name, $(`filter-${name}`).value]).filter(([, place]) => place !== "").map(([name, place]) => [name, Number(place)]);
  const wanted = $("search").value.trim().toLowerCase();
  const task = /^task:(\d+)$/.exec(wanted)?.[1];
  const found = new Uint32Array(total);
  let length = 0;
  for (let row = 0; row < total; row++) {
    if (!chosen.every(([name, place]) => (FILTERS[name].of ? FILTERS[name].of(row) === place : kindsOf(row).includes(place)))) continue;
    if (task !== undefined ? String(taskOf(row)[0]) !== task : wanted && !getHaystack(row).includes(wanted)) continue;
    found[length++] = row;
  }
  shown = found.subarray(0, length);
  selected = -1;
  spacer.style.height = `${length * ROW}px`;
  list.scrollTop = 0;
  draw();
  const noun = data.noun;
  $("count").textContent = length === total ? count(total, noun) : `${length.toLocaleString("en")} of ${count(total, noun)}`;
  $("clear").hidden = !wanted && !chosen.length;
  showEmptyPanel(length);
  for (const button of document.querySelectorAll(".groups button")) button.setAttribute("aria-pressed", String(button.dataset.group === $("filter-group").value));
}

function showEmptyPanel(length) {
  $("panel").replaceChildren(make("p", "empty", length ? `Select one of the ${data.noun}s to see all of it.` : "Nothing matches these filters."));
}

function clearFilters() {
  $("search").value = "";
  for (const name of Object.keys(FILTERS)) $(`filter-${name}`).value = "";
}

function search(text) {
  clearFilters();
  $("search").value = text;
  applyFilters();
  $("every").classList.remove("is-open");
}

function choose(name, place) {
  clearFilters();
  const element = $(`filter-${name}`);
  element.value = String(place);
  if (element.value !== String(place)) {
    element.append(new Option(FILTERS[name].names[place].slice(0, 70), String(place)));
    element.value = String(place);
  }
  applyFilters();
  $("every").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  list.focus({ preventScroll: true });
}

// The first screen: totals, what needs attention, and the picture of what changes

function showStatuses() {
  const tiles = data.tiles.map((tile) => {
    const button = makeButton("", () => choose("status", tile.status), tile.tone);
    button.append(make("b", "", tile.count.toLocaleString("en")), make("span", "", tile.label));
    button.disabled = tile.status < 0;
    return make("li", "", button);
  });
  $("statuses").append(...tiles);
  $("statuses").hidden = !tiles.length;
}

function showConcerns() {
  $("concerns").hidden = !data.concerns.length;
  if (!data.concerns.some((concern) => concern.tone === "bad")) $("picture").after($("concerns"));
  $("concerns").querySelector("ul").append(...data.concerns.map(makeConcern));
}

function makeConcern(concern) {
  const item = make("li", `concern ${concern.tone}`);
  item.append(make("h3", "", value("", concern.title), make("span", `chip ${concern.tone}`, concern.label), value("note", concern.by)));
  item.append(...concern.messages.map((message) => make("p", "", value("", message))));
  if (concern.more) item.append(make("p", "note", concern.more));
  if (concern.hint) item.append(make("p", "hint", value("", concern.hint)));
  const actions = make("div", "actions");
  const place = FILTERS.problem.names.indexOf(nameProblem(concern));
  if (place >= 0) actions.append(makeButton(concern.only ? "Show it below" : "Show them below", () => choose("problem", place)));
  if (concern.tasks) actions.append(make("details", "", make("summary", "", "Ids"), make("p", "", concern.tasks)));
  if (actions.childElementCount) item.append(actions);
  return item;
}

function showPicture() {
  $("picture").hidden = !data.totals.length;
  const holder = $("picture").querySelector("ul"), more = $("picture").querySelector(".more");
  const byPath = Map.groupBy ? Map.groupBy(data.groups.keys(), (place) => data.groups[place].path) : groupByPath();
  const most = Math.max(...data.totals.map((one) => one.remove + one.set + one.add));
  const draw = (totals) => holder.append(...totals.map((one) => makePath(one, byPath.get(one.path) ?? [], most)));
  draw(data.totals.slice(0, PATHS_SHOWN));
  const rest = data.totals.slice(PATHS_SHOWN);
  more.hidden = !rest.length;
  more.textContent = `Show ${count(rest.length, "more path")}`;
  more.addEventListener("click", () => { more.hidden = true; draw(rest); });
}

function groupByPath() {
  const found = new Map();
  data.groups.forEach((group, place) => found.set(group.path, [...(found.get(group.path) ?? []), place]));
  return found;
}

function makePath(one, places, most) {
  const sum = one.remove + one.set + one.add;
  const bar = make("div", "bar");
  bar.setAttribute("role", "img");
  bar.setAttribute("aria-label", Object.keys(WORDS).filter((sign) => one[sign]).map((sign) => `${one[sign].toLocaleString("en")} ${WORDS[sign]}`).join(", "));
  for (const sign of Object.keys(WORDS)) {
    if (!one[sign]) continue;
    const part = make("span", sign);
    part.style.width = `${(100 * one[sign]) / most}%`;
    bar.append(part);
  }
  const groups = make("ul", "groups", ...places.slice(0, 20).flatMap((place) => makeGroup(place, places.length === 1)));
  const item = make("li", "", make("div", "path", make("h3", "", value("", data.paths[one.path])), bar, make("span", "total", `${count(sum, "task")}${one.blocked.replace(/(\d) /, "$1\u00a0")}`)), groups);
  const histograms = makeHistograms(one.histogram);
  if (histograms) item.append(histograms);
  return item;
}

function makeGroup(place, isOnly) {
  const group = data.groups[place];
  const what = make("span", "what", ...(group.parts ?? [["", WORDS[group.sign]]]).map(([className, text]) => value(className, text)));
  const button = makeButton("", () => choose("group", place));
  button.dataset.group = String(place);
  button.setAttribute("aria-pressed", "false");
  button.append(make("span", `sign ${group.sign}`, SIGNS[group.sign]), what, isOnly ? "" : make("span", "who", `${count(group.count, "task")}${group.blocked ?? ""}`), value("who", group.who ?? ""));
  const examples = (group.examples ?? []).map(([name, parts]) => make("p", "examples", value("", name), ": ", ...parts.map(([className, text]) => value(className, text))));
  return [make("li", "", button, ...examples)];
}

// Numbers before and after, counted in the same bins

const SVG = "http://www.w3.org/2000/svg";

function makeHistograms(histogram) {
  if (!histogram) return null;
  const most = Math.max(...histogram.before, ...histogram.after);
  return make("div", "histograms", ...["before", "after"].filter((side) => histogram[side].length).map((side) => makeHistogram(side, histogram, most)));
}

function makeHistogram(side, histogram, most) {
  const counts = histogram[side], svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${counts.length * 10} 56`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Values ${side}, from ${histogram.low} to ${histogram.high}`);
  counts.forEach((number, place) => {
    if (!number) return;
    const bar = document.createElementNS(SVG, "rect"), height = Math.max(2, (54 * number) / most);
    for (const [name, size] of Object.entries({ x: place * 10 + 1, y: 56 - height, width: 8, height })) bar.setAttribute(name, size);
    bar.setAttribute("class", side);
    svg.append(bar);
  });
  const caption = make("figcaption", "", make("span", "", histogram.low), make("span", "", side), make("span", "", histogram.high));
  return make("figure", "", svg, caption);
}

function showFacts() {
  for (const [name, lines] of data.facts) $("facts").append(make("dt", "", name), make("dd", "", ...lines.map((line) => make("div", "", value("", line)))));
  $("about").hidden = !data.facts.length;
}

// Keys, theme, start

const MOVES = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

function listenToKeys() {
  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in MOVES) {
      event.preventDefault();
      const move = MOVES[event.key];
      select(selected < 0 && move === 1 ? 0 : move === Infinity ? shown.length - 1 : Math.max(0, selected + move));
    } else if (event.key === "Enter" && shown.length) {
      if (selected < 0) select(0);
      $("every").classList.add("is-open");
      $("panel").focus();
    }
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !$("every").hidden) {
      event.preventDefault();
      $("search").focus();
    } else if (event.key === "Escape" && event.target === $("search") && $("search").value) search("");
    else if (event.key === "Escape" && ($("panel").contains(event.target) || $("every").classList.contains("is-open"))) closePanel();
  });
  $("search").addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && shown.length) { event.preventDefault(); list.focus(); select(0); }
  });
}

function listenToTheme() {
  const button = $("theme"), root = document.documentElement, system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const name = () => { button.textContent = isDark() ? "Light theme" : "Dark theme"; };
  button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; name(); });
  system.addEventListener("change", name);
  button.hidden = false;
  name();
}

function start() {
  $("plain").remove();
  listenToTheme();
  showStatuses();
  showConcerns();
  showPicture();
  showFacts();
  $("every-title").textContent = data.title;
  $("picture-title").textContent = data.pictureTitle;
  $("left-out").textContent = data.leftOut;
  $("left-out").hidden = !data.leftOut;
  $("every").hidden = !total;
  if (!total) return;
  fillFilters();
  applyFilters();
  listenToKeys();
  list.addEventListener("scroll", drawSoon, { passive: true });
  new ResizeObserver(drawSoon).observe(list);
  $("search").addEventListener("input", applyFilters);
  $("clear").addEventListener("click", () => search(""));
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
  setTimeout(prepareSearch, 50);
}

start();
