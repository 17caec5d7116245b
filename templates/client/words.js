/**
 * Every sentence the page says about notifications, one entry for each state that push-client.js can report.
 * Translate or reword them here.
 *
 *   title   what is the case
 *   text    what it means for the visitor
 *   steps   what they can do about it, one after the other
 *   ways    the same, where only one of them applies
 *   facts   true: show the list of promises in index.html
 *   action  the main button: "on" asks the browser, "retry" looks again, "test" asks the server for a push
 *   label   what is on that button, where it is not the usual
 *   tone    which picture goes with it: "quiet", "on", "blocked" or "trouble"
 */
export function wordsFor(state, appName) {
  return words(appName)[state] ?? words(appName).failed;
}

const words = (appName) => ({
  checking: {
    title: "One moment",
    text: "Looking at how notifications stand in this browser.",
    tone: "quiet",
  },
  off: {
    title: `Hear from ${appName} when it matters`,
    text: "A short message on this device as soon as there is something for you, even while this page is closed.",
    facts: true,
    action: "on",
    tone: "quiet",
  },
  dismissed: {
    title: "No decision yet",
    text: "The browser’s question was closed without an answer, so nothing has changed. You can have it asked again.",
    action: "on",
    tone: "quiet",
  },
  "press-again": {
    title: "Allowed. One more press",
    text: "Your browser wants a separate press to finish what you have just allowed.",
    action: "on",
    tone: "quiet",
  },
  on: {
    title: "Notifications are on",
    text: `${appName} can now reach you on this device. Turn them off here whenever you like.`,
    action: "test",
    tone: "on",
  },
  "on-unsaved": {
    title: "This browser is ready",
    text: `It can receive from ${appName}. One step is left: the server does not know this subscription yet.`,
    tone: "on",
  },
  lost: {
    title: "Notifications have stopped",
    text: "They were on, but the browser has let go of them. One press brings them back.",
    action: "on",
    label: "Turn notifications on again",
    tone: "trouble",
  },
  denied: {
    title: "Notifications are blocked here",
    text: `This browser does not let ${appName} ask any more. Only you can change that, in its settings:`,
    ways: [
      "Chrome, Edge, Brave: press the icon at the left of the address, then set Notifications to “Allow”.",
      "Firefox: press the icon at the left of the address and remove the “Blocked” beside notifications.",
      "Safari on a Mac: Settings, Websites, Notifications, and choose “Allow” for this site.",
      "iPhone, iPad: Settings, Notifications. If the app is not listed, remove it from the home screen and add it again.",
      "In a private window it cannot be allowed. Open this page in an ordinary one.",
    ],
    action: "retry",
    label: "I have allowed it",
    tone: "blocked",
  },
  unsupported: {
    title: "This browser has no push notifications",
    text: "Everything else here works as usual. For notifications, one of these will do:",
    ways: [
      "A current Chrome, Edge or Firefox, on a computer or on Android.",
      "Safari on macOS 13 or newer.",
      "iPhone or iPad with iOS 16.4 or newer, with this site on the home screen.",
    ],
    tone: "blocked",
  },
  "ios-tab": {
    title: "Add this to your home screen first",
    text: "On iPhone and iPad, notifications are for apps on the home screen. This page can become one:",
    steps: [
      "Press the Share button.",
      "Choose “Add to Home Screen”. If there is a switch “Open as Web App”, leave it on.",
      "Open it from the home screen, and turn notifications on there.",
    ],
    tone: "quiet",
  },
  insecure: {
    title: "This address is not secure",
    text: "Browsers allow notifications only on pages that come over https. On your own computer, http://localhost counts as well.",
    tone: "blocked",
  },
  "private-window": {
    title: "Not in a private window",
    text: "Private and guest windows cannot receive pushes, because nothing of them is kept. Open this page in an ordinary window.",
    action: "retry",
    tone: "blocked",
  },
  "no-push-service": {
    title: "Your browser cannot reach its push service",
    text: "You have allowed notifications. But they travel through a service run by the browser’s maker, and that service refused.",
    ways: [
      "Brave: open brave://settings/privacy, turn on “Use Google services for push messaging” and restart it.",
      "Chromium built without Google’s keys has no such service. Chrome, Edge and Firefox have one.",
      "A firewall or a phone without Google services can be the reason too. Try another network.",
    ],
    action: "on",
    label: "Try again",
    tone: "trouble",
  },
  timeout: {
    title: "No answer from the push service",
    text: "Your browser has asked its push service, and has been left waiting. You may be offline, or the service cannot be reached from this network. Some test browsers never answer.",
    action: "on",
    label: "Try again",
    tone: "trouble",
  },
  refused: {
    title: "The browser said no",
    text: "Notifications are allowed, but the browser refused to set them up and gave no reason. Closing and opening it again often helps.",
    action: "on",
    label: "Try again",
    tone: "trouble",
  },
  "bad-key": {
    title: "This site’s key is not valid",
    text: "That is not your doing: the people who run the site have to put a valid VAPID public key into webpush-config.js.",
    tone: "trouble",
  },
  "worker-failed": {
    title: "A part of this site did not load",
    text: "Notifications need the file sw.js, and the browser could not start it. Check your connection and try again.",
    action: "retry",
    tone: "trouble",
  },
  failed: {
    title: "That did not work",
    text: "Something unexpected went wrong in the browser. Nothing has been changed.",
    action: "retry",
    tone: "trouble",
  },
});

/** Why the page asks you to carry the subscription over by hand. The keys are the answers of `ask()`. */
export const deliveryWords = {
  none: "This page has no server to send it to. That is fine while you are trying things out.",
  absent: "The server behind this page only hands out files; it does not keep subscriptions.",
  unreachable: "The server that should keep it could not be reached. The page tries again on the next visit.",
  refused: "The server that should keep it did not accept it. The page tries again on the next visit.",
};

/** What became of the request for a test. */
export const testWords = {
  saved: "Test sent. It should be here in a few seconds.",
  none: "There is no server to send a test from.",
  absent: "The server could not send a test: it does not know how, or does not know this subscription.",
  unreachable: "The server could not be reached.",
  refused: "The server did not want to send a test. Its log may say why.",
};
