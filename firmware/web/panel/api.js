// The unit's API: one operation at a time, and the stream of its states.

const BASE = "/api/v1";
const FIRST_WAIT = 500; // ms before connecting again; it doubles
const LONGEST_WAIT = 5000;
const SILENCE = 4000; // ms within which a connection has to open

export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

export async function ask(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await fetch(BASE + path, options);
  const text = await response.text();
  const answer = text ? JSON.parse(text) : null;
  if (!response.ok) {
    throw new Refused(response.status, answer?.error ?? response.statusText);
  }
  return answer;
}

export function address(path) {
  return BASE + path;
}

// Calls onState with each state and onLost when there is none to be had; connects again for ever.
// Where a password is wanted, `login` is awaited first.
export function listen(onState, onLost, login) {
  let wait = FIRST_WAIT;

  function connect() {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${BASE}/events`);
    const patience = setTimeout(() => socket.close(), SILENCE);
    socket.onmessage = (event) => {
      clearTimeout(patience);
      wait = FIRST_WAIT;
      onState(JSON.parse(event.data));
    };
    socket.onclose = async () => {
      clearTimeout(patience);
      onLost();
      // A WebSocket doesn't say why it was refused; an ordinary request does.
      try {
        await ask("GET", "/state");
      } catch (error) {
        if (error instanceof Refused && error.status === 401) {
          await login();
          wait = 0;
        }
      }
      setTimeout(connect, wait);
      wait = Math.min(LONGEST_WAIT, Math.max(FIRST_WAIT, wait * 2));
    };
  }

  connect();
}
