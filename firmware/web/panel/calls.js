// The cards of the calls.  A card stays the same element as long as its call lasts, so that focus and an open table do.

import { ask } from "./api.js";

const cards = new Map(); // by the call's number
const list = document.getElementById("calls");
const template = document.getElementById("call-card");

const WORDS = {
  dialing: "Calling …",
  alerting: "Ringing there …",
  incoming: "Is calling",
  connecting: "Connecting …",
  active: "In the call",
  ending: "Ending …",
};

const LABELS = { 4: "Loss", 5: "Jitter", 6: "Round trip" };

// `act` does an operation and says why it was refused; `passOn` asks whom a call is to be passed on to.
export function showCalls(calls, act, passOn) {
  const received = performance.now();
  const numbers = new Set(calls.map((call) => call.id));
  for (const [id, card] of cards) {
    if (!numbers.has(id)) {
      card.element.remove();
      cards.delete(id);
    }
  }
  for (const call of calls) {
    let card = cards.get(call.id);
    if (!card) {
      card = make(call.id, act, passOn);
      cards.set(call.id, card);
      list.append(card.element);
    }
    card.call = call;
    card.received = received;
    show(card);
  }
}

function make(id, act, passOn) {
  const element = template.content.firstElementChild.cloneNode(true);
  element.querySelector(".pass-on").addEventListener("click", () => passOn(id));
  for (const button of element.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => act(() => ask("POST", `/calls/${id}/${button.dataset.do}`)));
  }
  return { element, find: (selector) => element.querySelector(selector) };
}

function show(card) {
  const { call, element, find } = card;
  element.dataset.state = call.state;
  element.dataset.held = call.held || call.held_by_far_end ? "yes" : "no";
  find(".title").textContent = call.title;
  find(".remote").textContent = call.remote_name ? call.remote : "";
  find("[data-do=answer]").hidden = call.state !== "incoming";
  find("[data-do=hold]").hidden = call.state !== "active" || call.held;
  find("[data-do=resume]").hidden = call.state !== "active" || !call.held;
  find(".pass-on").hidden = call.state !== "active";
  find(".pass-on").disabled = call.transferring;
  find("[data-do=hang_up]").disabled = call.state === "ending";
  find(".end").textContent = call.state === "incoming" ? "Decline" : "Hang up";
  find(".flow").hidden = call.state !== "active";
  showLock(call, find);
  showTime(card);
}

// What is said is what is so, in both directions; a lock whose key was sent in the clear is no closed one.
const LOCKS = {
  yes: ["#lock", "Encrypted"],
  exposed: ["#lock-exposed", "Encrypted, but the key was sent in the clear"],
  no: ["#lock-open", "Not encrypted"],
};

function showLock(call, find) {
  const held = call.held || call.held_by_far_end;
  find(".lock").hidden = call.state !== "active" || held;
  const closed = call.encrypted ? "yes" : call.exposed ? "exposed" : "no";
  const [symbol, said] = LOCKS[closed];
  find(".lock").dataset.closed = closed;
  find(".lock use").setAttribute("href", symbol);
  find(".lock-words").textContent = said;
}

function showTime(card) {
  const { call, find } = card;
  let words = WORDS[call.state] ?? call.state;
  if (call.transferring) {
    words = "Passing on …";
  } else if (call.state === "alerting" && call.waiting) {
    words = "Waits there behind another call …";
  } else if (call.held) {
    words = "On hold";
  } else if (call.held_by_far_end) {
    words = "The far end holds the call";
  }
  if (find(".words").textContent !== words) {
    find(".words").textContent = words; // read out by a screen reader; the time, which goes on, is not
  }
  const lasted = call.duration === null ? null : call.duration + (performance.now() - card.received) / 1000;
  find(".time").textContent = lasted === null ? "" : ` · ${clock(lasted)}`;
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  return `${hours ? `${hours}:` : ""}${hours ? two(Math.floor(whole / 60) % 60) : Math.floor(whole / 60)}:${two(whole % 60)}`;
}

// Once a second: how long the calls last, and what flows where somebody looks at it.
export async function tick() {
  for (const [id, card] of cards) {
    showTime(card);
    if (card.call.state === "active" && card.find(".flow").open) {
      try {
        showFlow(card, (await ask("GET", `/calls/${id}/statistics`)).streams);
      } catch {
        // the call has just ended, or the unit is gone: the list or the banner says so
      }
    }
  }
}

// How packets travel, where both ends looked for a way.
const WAYS = { direct: "direct", nat: "through NAT", relay: "relayed" };

function showFlow(card, streams) {
  const rows = streams.map((stream) => {
    const row = document.createElement("tr");
    const words = [
      `${stream.direction === "send" ? "Sent" : "Received"} ${stream.kind === "audio" ? "sound" : "picture"}`,
      [stream.codec, WAYS[stream.way]].filter(Boolean).join(", "),
      stream.width ? `${stream.width}×${stream.height}, ${Math.round(stream.frame_rate)}/s` : "",
      `${Math.round(stream.bitrate / 1000)} kbit/s`,
      `${(stream.loss * 100).toFixed(1)} %`,
      `${(stream.jitter * 1000).toFixed(1)} ms`,
      stream.round_trip === null ? "–" : `${(stream.round_trip * 1000).toFixed(1)} ms`,
    ];
    words.forEach((text, column) => {
      const cell = document.createElement(column ? "td" : "th");
      cell.dataset.label = LABELS[column] ?? ""; // said where there is no room for the head of the table
      if (!column) {
        cell.scope = "row";
      }
      cell.textContent = text;
      row.append(cell);
    });
    return row;
  });
  card.find("tbody").replaceChildren(...rows);
}
