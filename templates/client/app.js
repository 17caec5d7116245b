/**
 * The page: shows what push-client.js reports in the words of words.js, and passes clicks on. It is the only file
 * that knows the elements of index.html.
 */
import { open, resume, sendTest, turnOff, turnOn } from "./push-client.js";
import { addCommand, copy } from "./handover.js";
import { deliveryWords, testWords, wordsFor } from "./words.js";
import { config } from "./webpush-config.js";

const $ = (id) => document.getElementById(id);
const labels = { on: "Turn on notifications", retry: "Try again", test: "Send me a test" };

let session;
let status = { state: "checking" };
let busy = true;

// ------------------------------------------------------------------------------------------ from state to screen

function render(next) {
  status = next;
  const unsaved = status.state === "on" && status.delivery !== "saved";
  const words = wordsFor(unsaved ? "on-unsaved" : status.state, config.appName);

  $("main").dataset.state = status.state;
  $("main").dataset.tone = words.tone;
  setText($("title"), words.title);
  setText($("text"), words.text);

  $("facts").hidden = !words.facts;
  for (const list of ["steps", "ways"]) {
    $(list).hidden = !words[list];
    $(list).replaceChildren(...(words[list] ?? []).map((text) => listItem(text)));
  }

  const { action = "" } = words;
  $("action").hidden = !action;
  $("action").dataset.does = action;
  $("action").textContent = words.label ?? labels[action] ?? "";
  $("off").hidden = status.state !== "on";
  $("again").hidden = status.state !== "on";
  $("hint").hidden = !(action === "on" && Notification.permission === "default");

  $("details").hidden = !status.error;
  $("error").textContent = status.error ? `${status.error.name}: ${status.error.message}` : "";

  renderHandover(status);
}

function renderHandover({ record, delivery }) {
  $("handover").hidden = !record || delivery === "saved";
  if ($("handover").hidden) return;
  $("handover-why").textContent = deliveryWords[delivery];
  $("json").value = JSON.stringify(record, null, 2);
  $("add").value = addCommand(record);
  $("windows").hidden = !navigator.platform.startsWith("Win");
}

/** Writing the same words again would make some screen readers read them again. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function listItem(text) {
  const item = document.createElement("li");
  // textContent, never innerHTML: part of what is shown comes out of push messages.
  item.textContent = text;
  return item;
}

function note(text) {
  const item = listItem(text);
  const time = document.createElement("time");
  time.textContent = new Date().toLocaleTimeString([], { timeStyle: "medium" });
  item.prepend(time);
  $("journal").hidden = false;
  $("log").prepend(item);
  while ($("log").children.length > 20) $("log").lastElementChild.remove();
}

// --------------------------------------------------------------------------------------------------- what it does

/** Runs one job at a time, and shows the status it ends in. */
async function run(job, { waiting, button } = {}) {
  if (busy) return;
  setBusy(true, waiting);
  const hadFocus = button && document.activeElement === button;
  try {
    render(await job());
  } catch (error) {
    render({ state: "failed", error });
  } finally {
    setBusy(false);
  }
  // The pressed button may be gone now. Then the keyboard goes on from the new heading, not from the page's top.
  if (hadFocus && button.hidden) $("title").focus();
}

/** aria-disabled instead of disabled: a disabled button would lose the focus. */
function setBusy(value, waiting) {
  busy = value;
  $("main").setAttribute("aria-busy", String(value));
  for (const id of ["action", "off", "on-again"]) $(id).setAttribute("aria-disabled", String(value));
  if (waiting) $("action").textContent = waiting;
}

async function start() {
  session = await open(config);
  return resume(session);
}

const does = {
  // Nothing may be awaited between the click and turnOn(): the browser must see that one comes from the other.
  on: () => run(() => turnOn(session), { waiting: "Waiting for your browser…", button: $("action") }),
  retry: () => run(start, { waiting: "Looking again…", button: $("action") }),
  test: () => run(test, { button: $("action") }),
};

async function test() {
  note(testWords[await sendTest(session, status.record)]);
  return status;
}

$("action").addEventListener("click", () => does[$("action").dataset.does]?.());
$("off").addEventListener("click", () => run(() => turnOff(session), { button: $("off") }));
$("on-again").addEventListener("click", () =>
  run(async () => {
    const next = await turnOn(session);
    if (next.state === "on") note("Turned on again.");
    return next;
  }),
);

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const field = $(button.dataset.copy);
    const copied = await copy(field.value);
    if (!copied) field.select(); // also moves the focus there, so that the keyboard can copy it
    button.firstChild.data = copied ? "Copied" : "Press Ctrl+C";
    setTimeout(() => (button.firstChild.data = "Copy"), 2500);
  });
}

// The visitor may have changed the browser's settings, here or while away.
function lookAgain() {
  if (session?.problem) return;
  run(async () => {
    const next = await resume(session);
    // A mere "off" is no news to somebody who is reading why it could not be turned on.
    return next.state === "off" && status.error ? status : next;
  });
}
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") lookAgain();
});
navigator.permissions
  ?.query({ name: "notifications" })
  .then((permission) => permission.addEventListener("change", lookAgain))
  .catch(() => {}); // not every browser can be asked about this one

// What the service worker tells us; see tellPages() in sw.js.
navigator.serviceWorker?.addEventListener("message", ({ data }) => {
  if (data?.source !== "webpush") return;
  if (data.type === "push")
    note(`${data.shown ? "Received" : "Received, but not shown"}: ${data.title}. ${data.body ?? ""}`);
  if (data.type === "click") note("Opened from a notification.");
  if (data.type === "renewed") lookAgain();
});

busy = false;
run(start);
