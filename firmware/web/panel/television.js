// A chip for the television that the unit can switch: says how it is, and switches it when pressed.

import { ask } from "./api.js";

const chip = document.getElementById("television");
const text = document.getElementById("television-text");
let on = false;

export function showTelevision(television) {
  chip.hidden = !television?.reachable;
  on = Boolean(television?.on && television.shows_room);
  chip.dataset.ready = on ? "yes" : "no";
  chip.setAttribute("aria-pressed", String(on));
  chip.title = on ? "Switch the television off" : "Switch the television on and show this room";
  text.textContent = on ? "Television on" : television?.on ? "Television shows something else" : "Television off";
}

export function operateTelevision(act) {
  chip.addEventListener("click", () => act(() => ask("PUT", "/television", { on: !on })));
}
