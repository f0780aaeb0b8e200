// The chips of where the unit registers: green while it is found there, otherwise why it isn't.

const list = document.getElementById("registrations");
const template = document.getElementById("registration");

const WORDS = { registered: "Registered", trying: "Registering …", failed: "Not registered" };

export function showRegistrations(registrations) {
  list.replaceChildren(
    ...registrations.map((one) => {
      const chip = template.content.firstElementChild.cloneNode(true);
      chip.dataset.ready = one.state === "registered" ? "yes" : "no";
      chip.title = `${one.protocol}, ${one.server}`;
      const why = one.reason ? `: ${one.reason}` : "";
      chip.querySelector(".words").textContent = `${WORDS[one.state] ?? one.state} as ${one.address}${why}`;
      return chip;
    }),
  );
}
