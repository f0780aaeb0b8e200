// How the machine is: asked for only while somebody looks.

import { ask } from "./api.js";

const ASK_TIME = 5000; // ms

const details = document.getElementById("health");
const list = document.getElementById("health-list");
let timer;

const bytes = (free, size) =>
  size === null ? null : `${unit(free)} free of ${unit(size)}`;
const unit = (number) => (number >= 1e9 ? `${(number / 1e9).toFixed(1)} GB` : `${Math.round(number / 1e6)} MB`);

// Each gives its words, or null where the machine doesn't tell.
const ROWS = [
  ["Processor", (h) => (h.temperature === null ? null : `${Math.round(h.temperature)} °C${h.throttled ? ", slowed down" : ""}`)],
  ["Power supply", (h) => (h.under_voltage === null ? null : h.under_voltage ? "too weak" : "as it should be")],
  ["Storage", (h) => bytes(h.storage_free, h.storage_size)],
  ["Storage worn", (h) => (h.storage_worn === null ? null : `${h.storage_worn} % of its life`)],
  ["Memory", (h) => bytes(h.memory_free, h.memory_size)],
];

async function show() {
  try {
    const health = await ask("GET", "/health");
    const rows = ROWS.map(([name, words]) => [name, words(health)]).filter(([, words]) => words !== null);
    list.replaceChildren(...rows.flatMap(([name, words]) => [element("dt", name), element("dd", words)]));
  } catch {
    list.replaceChildren(); // the page says itself that the unit doesn't answer
  }
}

function element(kind, textContent) {
  return Object.assign(document.createElement(kind), { textContent });
}

details.addEventListener("toggle", () => {
  clearInterval(timer);
  if (details.open) {
    show();
    timer = setInterval(() => document.hidden || show(), ASK_TIME);
  }
});
