// The page: shows each state of the unit as it comes, and turns what is pressed into operations of its API.

import { address, ask, listen, Refused } from "./api.js";
import { showCalls, tick } from "./calls.js";
import { operateCamera, showCamera } from "./camera.js";
import "./health.js";
import { showRegistrations } from "./registrations.js";
import { operateTelevision, showTelevision } from "./television.js";

const KEYS = ["1", "2 ABC", "3 DEF", "4 GHI", "5 JKL", "6 MNO", "7 PQRS", "8 TUV", "9 WXYZ", "*", "0 +", "#"];
const REFUSED_TIME = 8000; // ms that a refusal stays on the page

const $ = (id) => document.getElementById(id);
const SCREEN_NONE = $("screen-none").textContent;
const field = $("address");
let state = null;
let refusedTimer;

// What is pressed

async function act(operation) {
  clearTimeout(refusedTimer);
  $("refused").textContent = "";
  try {
    return await operation();
  } catch (error) {
    $("refused").textContent = sentence(error);
    refusedTimer = setTimeout(() => ($("refused").textContent = ""), REFUSED_TIME);
    return undefined;
  }
}

function sentence(error) {
  const text = error instanceof Refused ? error.message : "the unit does not answer";
  return `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}

$("dial").addEventListener("submit", async (event) => {
  event.preventDefault();
  const wanted = field.value.trim();
  if (!wanted) {
    field.focus();
    return;
  }
  if (await act(() => ask("POST", "/calls", { address: wanted }))) {
    field.value = "";
  }
});

// To the address that is written, or to the far end of the only other call.
function passOn(id) {
  const address = field.value.trim();
  const others = state.calls.filter((call) => call.id !== id && call.state === "active");
  if (address) {
    act(async () => {
      await ask("POST", `/calls/${id}/transfer`, { address });
      field.value = "";
    });
  } else if (others.length === 1) {
    act(() => ask("POST", `/calls/${id}/transfer`, { call: others[0].id }));
  } else {
    act(() => Promise.reject(new Refused(0, "write first whom this call is to be passed on to")));
    field.focus();
  }
}

$("erase").addEventListener("click", () => {
  field.value = field.value.slice(0, -1);
  field.focus();
});

$("mute").addEventListener("click", () => act(() => ask("PUT", "/mute", { muted: !state?.muted })));

const volume = $("volume");
let volumeBusy = false;
volume.addEventListener("input", async () => {
  $("volume-text").textContent = `${volume.value} %`;
  if (volumeBusy) {
    return; // the one on its way is followed by the newest
  }
  volumeBusy = true;
  let sent;
  while (sent !== volume.value) {
    sent = volume.value;
    await act(() => ask("PUT", "/volume", { volume: Number(sent) }));
  }
  volumeBusy = false;
});

function talkedIn() {
  return state?.calls.find((call) => call.state === "active" && !call.held);
}

for (const key of KEYS) {
  const [digit, letters = ""] = key.split(" ");
  const button = document.createElement("button");
  button.type = "button";
  button.append(digit, Object.assign(document.createElement("small"), { textContent: letters }));
  button.setAttribute("aria-label", { "*": "star", "#": "pound" }[digit] ?? digit);
  button.addEventListener("click", () => {
    const call = talkedIn();
    if (call && $("tones-on").checked) {
      act(() => ask("POST", `/calls/${call.id}/digits`, { digits: digit }));
    } else {
      field.value += digit;
    }
  });
  $("keypad").append(button);
}

// What is shown

function show(next) {
  state = next;
  $("lost").hidden = true;
  $("calls").inert = false;
  document.title = next.calls.some((call) => call.state === "incoming") ? `Ringing – ${next.name}` : next.name;
  $("name").textContent = next.name;
  $("addresses").textContent = next.addresses.join("  ·  ");
  $("ready").dataset.ready = next.ready ? "yes" : "no";
  $("ready-text").textContent = next.ready ? "Ready" : "Starting";
  $("mute").setAttribute("aria-pressed", String(next.muted));
  $("mute").querySelector("span").textContent = next.muted ? "Muted" : "Mute";
  $("mute").querySelector("use").setAttribute("href", next.muted ? "#microphone-off" : "#microphone");
  if (!volumeBusy) {
    volume.value = next.volume;
    $("volume-text").textContent = `${next.volume} %`;
  }
  $("notice").textContent = next.notice ? `${next.notice.title}: ${next.notice.text}` : "";
  $("faults").replaceChildren(
    ...[...next.warnings, ...next.faults, ...showRegistrations(next.registrations)].map((fault) => Object.assign(document.createElement("li"), { textContent: fault })),
  );
  $("screen-none").textContent = next.absent.includes("display") ? "This room has no screen." : SCREEN_NONE;
  $("absent").textContent = next.absent.map((device) => `No ${device}, as configured.`).join(" ");
  showTelevision(next.television);
  $("tones").hidden = !talkedIn();
  for (const element of document.querySelectorAll("#controls button, #controls input")) {
    element.disabled = false;
  }
  showCamera(next.camera);
  showCalls(next.calls, act, passOn);
  watch();
}

function lost() {
  $("lost").hidden = false;
  $("calls").inert = true;
  $("ready").dataset.ready = "no";
  $("ready-text").textContent = "Not connected";
  showRegistrations([]);
  showTelevision(null);
  showCamera(null);
  for (const element of document.querySelectorAll("#controls button, #controls input:not(#address)")) {
    element.disabled = true;
  }
  unwatch();
}

// The live screen: only while the page is seen, so that a forgotten tab costs the unit nothing.

const screen = $("screen");
let watching = false;

function watch() {
  if (!watching && state && !state.absent.includes("display") && !document.hidden && $("lost").hidden) {
    watching = true;
    screen.src = address(`/screen.mjpeg?${Date.now()}`);
  }
}

function unwatch() {
  watching = false;
  screen.hidden = true;
  screen.removeAttribute("src");
}

screen.addEventListener("load", () => (screen.hidden = false));
screen.addEventListener("error", () => {
  if (watching) {
    unwatch();
    setTimeout(watch, 2000);
  }
});
document.addEventListener("visibilitychange", () => (document.hidden ? unwatch() : watch()));

// The password

function login() {
  const dialog = $("login");
  return new Promise((done) => {
    $("login-form").onsubmit = async (event) => {
      event.preventDefault();
      $("login-refused").textContent = "";
      try {
        await ask("POST", "/session", { password: $("password").value });
      } catch (error) {
        $("login-refused").textContent = sentence(error);
        return;
      }
      $("password").value = "";
      dialog.close();
      boardButtons();
      done();
    };
    dialog.oncancel = (event) => event.preventDefault();
    if (!dialog.open) {
      dialog.showModal();
    }
  });
}

async function boardButtons() {
  try {
    const { buttons, keys } = await ask("GET", "/board");
    $("board").hidden = buttons.length === 0;
    $("buttons").replaceChildren(...buttons.map((name) => pressable("buttons", name)));
    $("keys").replaceChildren(...keys.map((name) => pressable("keys", name)));
  } catch {
    // without them the page is complete
  }
}

function pressable(kind, name) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: name.replaceAll("_", " ") });
  button.addEventListener("click", () => act(() => ask("POST", `/board/${kind}/${name}/press`)));
  return button;
}

operateTelevision(act);
operateCamera(act);
listen(show, lost, login);
boardButtons();
setInterval(tick, 1000);
