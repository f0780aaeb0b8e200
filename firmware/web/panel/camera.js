// The card of a camera that can be moved: arrows and zoom move it while they are pressed, numbers are views to come back to.

import { ask } from "./api.js";

const AGAIN = 300; // ms after which a movement is asked for again while a button is pressed
const LASTS = 0.7; // s that it lasts each time: it ends by itself if this page is gone
const TAP = 0.25; // s that it is moved at least: a tap, or a key of the keyboard
const HOLD = 800; // ms until a preset is kept anew
const SHOWN = 3; // presets of the unit's sixteen

const card = document.getElementById("camera");
const buttons = [...card.querySelectorAll("[data-axis]")];
let kept = [];

export function showCamera(camera) {
  const axes = camera?.axes ?? [];
  card.hidden = axes.length === 0;
  card.querySelector(".pad").hidden = !axes.includes("pan") && !axes.includes("tilt");
  card.querySelector(".zoom").hidden = !axes.includes("zoom");
  for (const button of buttons) {
    button.disabled = !axes.includes(button.dataset.axis);
  }
  kept = camera?.presets ?? [];
  for (const button of card.querySelectorAll(".presets button")) {
    const number = Number(button.textContent);
    const known = kept.includes(number);
    button.dataset.kept = known ? "yes" : "no";
    button.title = known ? `Look at view ${number}; hold to keep this view instead` : `Keep this view as ${number}`;
    button.setAttribute("aria-label", button.title);
  }
}

export function operateCamera(act) {
  let last = Promise.resolve(); // one after the other: a stop never overtakes what it stops
  const move = (wanted) => (last = last.then(() => act(() => ask("POST", "/camera/move", wanted))));

  let stopping;

  for (const button of buttons) {
    const way = { [button.dataset.axis]: Number(button.dataset.way) };
    let again;
    let since;
    const stop = () => {
      if (again !== undefined) {
        clearInterval(again);
        again = undefined;
        stopping = setTimeout(() => move({}), since + TAP * 1000 - performance.now());
      }
    };
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || again !== undefined) {
        return;
      }
      button.setPointerCapture(event.pointerId);
      clearTimeout(stopping);
      since = performance.now();
      move({ ...way, seconds: LASTS });
      again = setInterval(() => {
        if (button.disabled) {
          // the camera is gone, and with it the end of the press: a disabled button hears of none
          clearInterval(again);
          again = undefined;
        } else {
          move({ ...way, seconds: LASTS });
        }
      }, AGAIN);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      button.addEventListener(end, stop);
    }
    button.addEventListener("contextmenu", (event) => event.preventDefault()); // a finger that rests
    button.addEventListener("click", (event) => {
      if (event.detail === 0) {
        move({ ...way, seconds: TAP }); // by the keyboard
      }
    });
  }

  for (let number = 1; number <= SHOWN; number++) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: String(number) });
    let hold;
    let done = false;
    const keep = () => act(() => ask("PUT", `/camera/presets/${number}`));
    button.addEventListener("pointerdown", () => {
      done = false;
      hold = setTimeout(() => {
        done = true;
        keep();
      }, HOLD);
    });
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
      button.addEventListener(end, () => clearTimeout(hold));
    }
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("click", () => {
      if (done) {
        done = false;
      } else if (kept.includes(number)) {
        act(() => ask("POST", `/camera/presets/${number}/recall`));
      } else {
        keep();
      }
    });
    card.querySelector(".presets").append(button);
  }
}
