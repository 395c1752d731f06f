// The results page with a script: the same links filter at once, and search, order, copying and progress are added.
"use strict";
const $ = (id) => document.getElementById(id);
const picked = { p: "", f: "", c: "" };

function readPicked() {
  for (const by of Object.keys(picked)) {
    picked[by] = document.querySelector(`[data-by="${by}"][aria-current]`)?.dataset.value ?? "";
  }
}

function filter() {
  const words = $("search").value.trim().toLowerCase();
  let shown = 0;
  for (const row of $("rows").children) {
    const fits = Object.entries(picked).every(([by, value]) => !value || row.dataset[by] === value)
      && (!words || row.textContent.toLowerCase().includes(words));
    row.hidden = !fits;
    shown += fits;
  }
  $("shown").textContent = `${shown} ${shown === 1 ? "image" : "images"} shown`;
}

function showPicked() {
  const nothing = !picked.p && !picked.f && !picked.c;
  for (const link of document.querySelectorAll("[data-by]")) {
    const value = link.dataset.value;
    const isCurrent = value ? picked[link.dataset.by] === value : nothing;
    isCurrent ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
  }
}

function pick(link) {
  const { by, value } = link.dataset;
  if (value) {
    picked[by] = picked[by] === value ? "" : value;
  } else {
    for (const each of Object.keys(picked)) picked[each] = "";
  }
  showPicked();
  filter();
}

const number = (row, name) => (row.dataset[name] === undefined ? Infinity : Number(row.dataset[name]));
const orders = {
  todo: (a, b) => number(a, "o") - number(b, "o"),
  i: (a, b) => number(a, "i") - number(b, "i"),
  h: (a, b) => number(a, "h") - number(b, "h"),
  d: (a, b) => (b.dataset.d ?? -1) - (a.dataset.d ?? -1),
  n: (a, b) => a.querySelector(".name").textContent.localeCompare(b.querySelector(".name").textContent),
};

function sort() {
  const rows = [...$("rows").children].sort(orders[$("sort").value]);
  $("rows").append(...rows);
}

async function copy(button) {
  await navigator.clipboard.writeText(button.textContent);
  button.classList.add("copied");
  $("shown").textContent = `${button.textContent} copied`;
  setTimeout(() => button.classList.remove("copied"), 900);
}

function addButtons() {
  for (const code of $("rows").querySelectorAll("code")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "hex";
    button.textContent = code.textContent;
    button.title = "Copy";
    code.replaceWith(button);
  }
}

// Where there is no room beside the list, the list comes first.
function foldCharts() {
  const charts = document.querySelector(".charts");
  if (charts && !matchMedia("(min-width: 1000px)").matches) charts.open = false;
}

function addListeners() {
  $("search").addEventListener("input", filter);
  $("sort").addEventListener("change", sort);
}

function paint(results) {
  for (const { index, classification } of results) {
    const tile = $(`m${index}`);
    if (!tile) continue;
    tile.setAttribute("class", classification ? "hit" : "miss");
    if (classification) tile.setAttribute("fill", classification.primary.hex);
  }
}

function tellProgress({ total, succeeded, failed }) {
  if (!$("progress")) return;
  $("progress").value = succeeded + failed;
  $("done").textContent = `${succeeded + failed} of ${total} images done`;
}

async function freshPage() {
  const reply = await fetch(location.href);
  return reply.ok ? new DOMParser().parseFromString(await reply.text(), "text/html") : null;
}

// While the batch runs: the counts, charts and rows so far; what was picked, sought and sorted stays.
async function refresh() {
  const fresh = await freshPage();
  if (!fresh || !$("progress")) return;
  for (const part of [".tiles", ".charts", "#rows"]) {
    const [ours, theirs] = [document.querySelector(part), fresh.querySelector(part)];
    if (ours && theirs) {
      if ("open" in theirs) theirs.open = ours.open;
      ours.replaceWith(theirs);
    } else if (theirs) document.querySelector(".split").prepend(theirs);
  }
  addButtons();
  showPicked();
  sort();
  filter();
}

// The first time soon, then every few seconds.
let [waiting, refreshed] = [false, -Infinity];
function refreshSoon() {
  if (waiting) return;
  waiting = true;
  setTimeout(async () => {
    await refresh();
    [waiting, refreshed] = [false, performance.now()];
  }, Math.max(300, refreshed + 3000 - performance.now()));
}

async function finish() {
  const fresh = await freshPage();
  if (!fresh) return;
  const [words, order] = [$("search").value, $("sort").value];
  $("view").replaceWith(fresh.getElementById("view"));
  [$("search").value, $("sort").value] = [words, order];
  document.title = fresh.title;
  foldCharts();
  addListeners();
  addButtons();
  showPicked();
  sort();
  filter();
}

function follow(address) {
  const events = new EventSource(address);
  events.addEventListener("snapshot", (event) => {
    const { status, results } = JSON.parse(event.data);
    paint(results);
    tellProgress(status.progress);
  });
  events.addEventListener("results", (event) => {
    const { progress, results } = JSON.parse(event.data);
    paint(results);
    tellProgress(progress);
    refreshSoon();
  });
  events.addEventListener("done", () => {
    events.close();
    finish();
  });
}

document.documentElement.classList.add("scripted");
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-by]");
  if (link && !event.metaKey && !event.ctrlKey) {
    event.preventDefault();
    pick(link);
  }
  const button = event.target.closest("button.hex");
  if (button) copy(button);
});
addListeners();
addButtons();
foldCharts();
readPicked();
if ($("view").dataset.live) follow($("view").dataset.live);
