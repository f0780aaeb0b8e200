// One chip for all that the unit registers with: green only while it is found everywhere.

const chip = document.getElementById("registered");
const text = document.getElementById("registered-text");

// Gives a sentence for each that has failed.
export function showRegistrations(registrations) {
  const failed = registrations.filter((one) => one.state === "failed");
  const done = registrations.every((one) => one.state === "registered");
  chip.hidden = registrations.length === 0;
  chip.dataset.ready = done ? "yes" : "no";
  chip.title = registrations.map((one) => `${one.protocol}: ${one.address} with ${one.server}, ${one.state}`).join("\n");
  const nowhere = failed.length === registrations.length;
  text.textContent = done ? "Registered" : nowhere ? "Not registered" : failed.length ? "Not registered everywhere" : "Registering …";
  return failed.map((one) => `Not registered as ${one.address}: ${one.reason}.`);
}
