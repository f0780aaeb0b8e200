// The chips of where the unit registers: green while it is found there, otherwise why it isn't.

const list = document.getElementById("registrations");
const template = document.getElementById("registration");

const WORDS = { registered: ["Registered as", ""], trying: ["Registering as", " …"], failed: ["Not registered as", ""] };

export function showRegistrations(registrations) {
  list.replaceChildren(
    ...registrations.map((one) => {
      const chip = template.content.firstElementChild.cloneNode(true);
      chip.dataset.ready = one.state === "registered" ? "yes" : "no";
      chip.title = `${one.protocol}, ${one.server}`;
      const [before, after] = WORDS[one.state];
      const why = one.reason ? `: ${one.reason}` : "";
      chip.querySelector(".words").textContent = `${before} ${one.address}${after}${why}`;
      return chip;
    }),
  );
}
